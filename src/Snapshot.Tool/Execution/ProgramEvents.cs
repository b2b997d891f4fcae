using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Snapshot.Tool.Supervision;

namespace Snapshot.Tool.Execution;

/// <summary>Why a running program needs attention.</summary>
internal enum ProgramEventKind
{
    /// <summary>It has ended.</summary>
    End,

    /// <summary>A signal asks for a checkpoint.</summary>
    Checkpoint,

    /// <summary>A signal asks for a checkpoint and then the end.</summary>
    Stop,

    /// <summary>The program waits for a checkpoint: it is about to do what could not be done twice.</summary>
    Asked,
}

/// <summary>What happened, and the signal that brought it, or 0.</summary>
internal readonly record struct ProgramEvent(ProgramEventKind Kind, int Signal = 0);

/// <summary>Collects what happens beside a program: its end, signals, and what it asks.</summary>
internal sealed class ProgramEvents : IDisposable
{
    private readonly BlockingCollection<ProgramEvent> _events = [];
    private readonly AnonymousPipeServerStream _asks = new(PipeDirection.In);
    private readonly AnonymousPipeServerStream _answers = new(PipeDirection.Out);
    private readonly PosixSignalRegistration[] _registrations;
    private int _stops;

    internal ProgramEvents()
    {
        _registrations =
        [
            Take(PosixSignal.SIGINT, ProcessSignal.Interrupt, ProgramEventKind.Stop),
            Take(PosixSignal.SIGTERM, ProcessSignal.Terminate, ProgramEventKind.Stop),
            Take((PosixSignal)ProcessSignal.User1, ProcessSignal.User1, ProgramEventKind.Checkpoint),
            Take((PosixSignal)ProcessSignal.User2, ProcessSignal.User2, ProgramEventKind.Checkpoint),
        ];
        new Thread(Listen) { IsBackground = true, Name = "snapshot asks" }.Start();
    }

    /// <summary>The program's ends of the two pipes.</summary>
    internal int AsksDescriptor => (int)_asks.ClientSafePipeHandle.DangerousGetHandle();

    internal int AnswersDescriptor => (int)_answers.ClientSafePipeHandle.DangerousGetHandle();

    internal void Add(ProgramEvent happened) => _events.Add(happened);

    /// <summary>The next, or null when the time has passed; zero: wait for it.</summary>
    internal ProgramEvent? Next(TimeSpan within) =>
        _events.TryTake(out ProgramEvent next, within == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : within)
            ? next
            : null;

    /// <summary>Lets the program go on that has asked.</summary>
    internal void Answer() => _answers.WriteByte(0);

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }

    private void Listen()
    {
        while (_asks.ReadByte() >= 0) Add(new ProgramEvent(ProgramEventKind.Asked));
    }

    /// <summary>The second that asks for the end gets it at once, as if nobody took it.</summary>
    private PosixSignalRegistration Take(PosixSignal signal, int number, ProgramEventKind kind) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = kind != ProgramEventKind.Stop || Interlocked.Increment(ref _stops) == 1;
            if (context.Cancel) Add(new ProgramEvent(kind, number));
        });
}
