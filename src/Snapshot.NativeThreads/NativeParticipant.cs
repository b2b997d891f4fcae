using Snapshot.Coordination;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>
/// The participant that stands for all native threads: a thread of the session that stops them.
/// </summary>
internal sealed unsafe class NativeParticipant : IStandsFor
{
    internal const string Name = "snapshot native";

    private readonly Coordinator _coordinator;
    private readonly NativeAnswers _answers;
    private readonly NativeAudit? _audit;
    private readonly NativeStop _stop;
    private readonly ProcessorShare _share;
    private readonly ParticipantOptions _options;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _attached = new();
    private volatile bool _isEnding;

    /// <summary>Starts the thread; returns when it is attached and its handlers are resumed.</summary>
    internal NativeParticipant(
        Coordinator coordinator, NativeSpace space,
        IReadOnlyList<(string Name, ICheckpointHandler Handler)> handlers,
        NativeAudit? audit, ProcessorShare share)
    {
        _share = share;
        NativeStop.KeepPriorities(!share.IsTaken);
        _coordinator = coordinator;
        _audit = audit;
        _answers = new NativeAnswers(space);
        _stop = new NativeStop(_answers.Give);
        _options = new ParticipantOptions { Handlers = handlers, Gates = Gates.None };
        _thread = new Thread(Run) { IsBackground = true, Name = Name };
        _thread.Start();
        _attached.Task.GetAwaiter().GetResult();
    }

    public bool TryStop(Func<bool> isWanted)
    {
        if (!_stop.TryStop(isWanted)) return false;
        _audit?.Run();
        return true;
    }

    public void Resume()
    {
        NativeStop.Resume();

        // For the next stop, and not for each question: it reads a file.
        _share.Take(ProcessorShare.Whole);
    }

    /// <summary>Leaves the session. No native thread may run any more.</summary>
    internal void Leave()
    {
        _isEnding = true;
        NativeAnswers.LookAgain();
        _thread.Join();
    }

    private void Run()
    {
        Participant participant;
        try
        {
            participant = _coordinator.Attach(Name, _options);
        }
        catch (Exception error)
        {
            // Whoever opened it is told.
            _attached.SetException(error);
            return;
        }

        using (participant)
        {
            participant.Kind = ParticipantKind.Native;
            participant.StandsFor = this;
            participant.Doing = _stop.Describe;
            _attached.SetResult();
            try
            {
                Serve(participant);
            }
            catch (SnapshotException failure) when (failure.Code == SnapshotErrorCode.RestartFailed)
            {
                // Nobody waits for this thread. Who takes part, or asks for a checkpoint, is told the same.
            }
        }
    }

    private void Serve(Participant participant)
    {
        _share.Take(ProcessorShare.Whole);
        while (!_isEnding)
        {
            uint seen = Volatile.Read(ref *NativeAnswers.Questions);
            _answers.Give();
            if (!_isEnding) participant.Wait(NativeAnswers.Questions, seen, Timeout.Infinite);
        }
    }
}
