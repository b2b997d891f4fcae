using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Threads.Fibers;

namespace Snapshot.Tests.Threads;

/// <summary>
/// Whom a scheduler runs for in a test of one thread: when no fiber can go on, the next act of the script is
/// done, then the time passes that the worker would sleep. The host owns locks, too: it is who acts in the
/// script.
/// </summary>
internal sealed unsafe class ScriptedHost : IFiberHost, IDisposable
{
    private readonly int* _hints = (int*)NativeMemory.AllocZeroed(2 * sizeof(int));

    /// <summary>What happens outside while the worker has nothing to run, one after the other.</summary>
    internal Queue<Action> WhenIdle { get; } = new();

    /// <summary>The sleeps whose time passed.</summary>
    internal List<long> Slept { get; } = new(1024);

    internal int CriticalDepth { get; private set; }

    /// <summary>Whether a checkpoint is pending: no critical section is entered.</summary>
    internal bool IsPending { get; set; }

    internal int Polls { get; private set; }

    public int OwnerId { get; init; } = 7;

    public string Name => "the host";

    public int* StopHint => _hints;

    public int* AttentionHint => _hints + 1;

    public string? HandlerPart => null;

    public long Clock { get; set; } = 1_000_000_000_000;

    public Action? Stopping { get; set; }

    public void Poll() => Polls++;

    public bool Wait(uint* word, uint expected, long timeoutNanoseconds)
    {
        if (WhenIdle.TryDequeue(out Action? act))
        {
            act();
            return true;
        }

        if (timeoutNanoseconds < 0) throw new StuckException();
        Slept.Add(timeoutNanoseconds);
        Clock += timeoutNanoseconds;
        return false;
    }

    public bool TryEnterCritical()
    {
        if (CriticalDepth == 0 && IsPending) return false;
        CriticalDepth++;
        return true;
    }

    public void ExitCritical() => CriticalDepth--;

    public void Dispose() => NativeMemory.Free(_hints);
}

/// <summary>The worker would sleep for ever.</summary>
internal sealed class StuckException() : Exception("No fiber can go on, and nothing is left to happen.");
