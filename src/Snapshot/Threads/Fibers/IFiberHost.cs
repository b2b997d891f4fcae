using System.Diagnostics;

namespace Snapshot.Threads.Fibers;

/// <summary>Whom a scheduler runs for: a participant, or a handler.</summary>
/// <remarks>
/// The calls, all on the scheduler's thread: <see cref="Poll"/> while a word it names is not zero and every
/// fiber is suspended; <see cref="Wait"/> when there is nothing to run. Both may take part in a checkpoint
/// before they return, and then call <see cref="Stopping"/> when all else is done that changes memory.
/// </remarks>
internal unsafe interface IFiberHost
{
    /// <summary>The owner of arena locks while no fiber executes.</summary>
    public int OwnerId { get; }

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>
    /// Which handler part its thread is in, such as "in the prepare part of handler 'x'"; or null.
    /// </summary>
    public string? HandlerPart { get; }

    /// <summary>Not zero while fibers are to stop. Read by every safepoint.</summary>
    public int* StopHint { get; }

    /// <summary>The same for this host alone.</summary>
    public int* AttentionHint { get; }

    /// <summary>Nanoseconds since some moment of this process.</summary>
    public long Clock => Stopwatch.GetElapsedTime(0).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>Called when the thread is about to be stopped for a capture.</summary>
    public Action? Stopping { set; }

    /// <summary>A safepoint of the thread.</summary>
    public void Poll();

    /// <summary>Sleeps while the word has the value, at most that long (negative: without limit).</summary>
    public bool Wait(uint* word, uint expected, long timeoutNanoseconds);

    /// <summary>
    /// Counts the thread as inside a critical section, or one level deeper; false while a checkpoint is
    /// pending.
    /// </summary>
    public bool TryEnterCritical();

    /// <summary>
    /// Leaves one level; at the outermost a pending checkpoint is not taken before a fiber waits.
    /// </summary>
    public void ExitCritical();
}
