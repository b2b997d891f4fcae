using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>A thread that runs native code and is captured at any instruction of it.</summary>
/// <remarks>
/// Thread-safe. It belongs to its arena: after a restart the same name is the same thread, further on.
/// </remarks>
public sealed unsafe class NativeThread
{
    private readonly NativeSpace _space;
    private readonly NativeEntry* _entry;
    private readonly bool _ranHere;

    internal NativeThread(NativeSpace space, NativeEntry* entry, bool isContinued, bool ranHere)
    {
        _space = space;
        _entry = entry;
        _ranHere = ranHere;
        Name = NativeRecord.NameOf(NativeRecord.Of(entry));
        IsContinued = isContinued;
    }

    /// <summary>The name, unique in the arena.</summary>
    internal string Name { get; }

    /// <summary>
    /// Whether it goes on from an image, or had ended in one, and was not begun in this process.
    /// </summary>
    internal bool IsContinued { get; }

    /// <summary>Whether its function has returned.</summary>
    public bool HasEnded => NativeRecord.StateOf(NativeRecord.Of(_entry)) == NativeState.Ended;

    /// <summary>
    /// Waits until its function has returned, and gives its stack back. A participant that waits here counts
    /// as stopped for checkpoints. Any number of times, also after a restart.
    /// </summary>
    /// <returns>What the function returned, in a register of 64 bits.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.RestartFailed"/>: the session cannot
    /// go on.
    /// </exception>
    public ulong Join()
    {
        NativeRecord* record = NativeRecord.Of(_entry);
        while (NativeRecord.StateOf(record) is var state && state != NativeState.Ended)
        {
            if (LockOwner.Current is { } owner) owner.Wait(&record->State, (uint)state, Timeout.Infinite);
            else _ = Interop.Native.sn_futex_wait(&record->State, (uint)state, Timeout.Infinite);
        }

        _space.Release(_entry, _ranHere);
        return record->Result;
    }
}
