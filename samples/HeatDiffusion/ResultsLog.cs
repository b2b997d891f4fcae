using System.Globalization;
using System.IO.Hashing;
using System.Text;
using KillDemo;
using Snapshot;

namespace HeatDiffusion;

/// <summary>
/// The results file, and the async handler that keeps it in step with the images. It grows only in the
/// handler: the prepare part appends what was recorded and makes it durable, so every image finds its results
/// in the file.
/// </summary>
/// <remarks>
/// The prepare part enters an arena lock that the recording thread enters, too, and holds it until its resume
/// part. So that thread may be captured waiting for the lock. After a restart the lock is still held; the
/// resume part cuts off what a lost generation had appended and leaves the lock, and only then the thread
/// enters. Neither waits for the other in any other way.
/// </remarks>
internal sealed unsafe class ResultsLog : ICheckpointHandler, IDisposable
{
    private readonly HeatMemory _memory;
    private readonly FileStream _file;

    /// <summary>Opens the file; a simulation that is not restarted begins it anew.</summary>
    internal ResultsLog(HeatMemory memory, string path, bool isRestarted)
    {
        _memory = memory;
        _file = new FileStream(path, isRestarted ? FileMode.Open : FileMode.Create, FileAccess.ReadWrite);
    }

    private LogState* State => &_memory.State->Log;

    /// <summary>
    /// Makes a record and runs <paramref name="then"/> with it: no checkpoint comes between the two.
    /// </summary>
    internal void Record(long step, double heat, Action then)
    {
        State->Mutex.Enter();
        Append(step, heat);
        then();
        State->Mutex.Exit();
    }

    /// <summary>Makes a record; the caller holds the mutex.</summary>
    internal void Append(long step, double heat)
    {
        _memory.Results[State->Count] = new ResultRecord { Step = step, Heat = heat };
        State->Count++;
    }

    /// <summary>Appends the last records when all threads are done.</summary>
    /// <returns>XXH64 of the whole file.</returns>
    internal string Finish()
    {
        using ArenaMutex.Scope scope = State->Mutex.EnterScope();
        Flush();
        _file.Position = 0;
        XxHash64 hash = new();
        hash.Append(_file);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    public void Prepare(PrepareContext context)
    {
        State->Mutex.Enter();
        Flush();
    }

    public void Resume(CheckpointOutcome outcome)
    {
        if (outcome.Kind == CheckpointOutcomeKind.Restarted) CutBack();
        if (State->Mutex.IsHeldByCurrent) State->Mutex.Exit();
    }

    public void Dispose() => _file.Dispose();

    private void Flush()
    {
        _file.Position = State->FileBytes;
        for (; State->Flushed < State->Count; State->Flushed++)
        {
            ResultRecord record = _memory.Results[State->Flushed];
            string line = string.Create(CultureInfo.InvariantCulture, $"{record.Step} {record.Heat:R}\n");
            _file.Write(Encoding.ASCII.GetBytes(line));
        }

        DurableFile.Flush(_file);
        State->FileBytes = _file.Position;
    }

    private void CutBack()
    {
        if (_file.Length < State->FileBytes)
        {
            throw new RunException(
                $"'{_file.Name}' has {_file.Length} bytes, fewer than the image's {State->FileBytes}: " +
                "not the file of this run.");
        }

        _file.SetLength(State->FileBytes);
    }
}
