using System.Diagnostics.CodeAnalysis;
using Snapshot.Base;
using Snapshot.Memory.Locks;

namespace Snapshot;

/// <summary>
/// A lock for many readers or one writer that lives in an arena and survives a restart: held before, held
/// after.
/// </summary>
/// <remarks>
/// <para>Embed it as a field of a root; zeroed memory is an unlocked lock. Never copy it. The writer is known
/// by its participant id; readers are only counted, so a participant that was captured reading must remember
/// in its own state that it reads. Waiting counts as stopped: a checkpoint captures the waiter waiting, and
/// after a restart it calls again.</para>
/// <para>Not recursive, in neither mode, and a reader cannot become the writer. Not fair: whoever comes while
/// the lock is free takes it. But a fiber is woken in vain once at most: if it finds the lock taken again, it
/// is handed the lock next. So that readers who overlap for ever do not starve a writer, a new reader lets a
/// waiting writer go first, for at most a millisecond.</para>
/// <para>Thread-safe. Without contention each operation is one compare-and-swap and allocates nothing.</para>
/// </remarks>
public struct ArenaReaderWriterLock
{
    // _word: bits 0-28 number of readers (more than there can be threads); bit 29 "a writer may be waiting";
    // bit 30 a writer is inside; bit 31 "somebody may be asleep on this word". Readers and the writer bit are
    // never both non-zero. _writer is the writer's id; it is stored after bit 30 was gained and cleared
    // before it is given up, with no safepoint between, so an image holds both or none.
    //
    // Invariant: while an owner sleeps, bit 31 is set or a wake of all is on its way. Whoever makes the lock
    // free clears both hints and wakes everyone, and each sets its hints again before it sleeps; so no wake
    // can be consumed in vain. After a restart bit 29 may stand for a writer that does not come back: it
    // delays a reader by YieldNanoseconds at most.
    //
    // A fiber that was woken once and found the lock taken again is passed over, and is handed it: whoever
    // leaves last takes the lock alone (bit 30, without an id) and then stores it as the fiber's, so that
    // nobody comes between, and chooses and stores while nobody can park. While such a fiber is in the wait
    // table, somebody is inside and bit 31 is set: it parked on that, and a hand-over to others keeps the
    // bit. One that wants to read is there only while a writer is inside: when a reader is next, all of them
    // are.
    private const uint ReaderMask = (1u << 29) - 1;
    private const uint WriterWaiting = 1u << 29;
    private const uint WriterInside = 1u << 30;
    private const uint Contended = 1u << 31;
    internal const long YieldNanoseconds = 1_000_000;

    private uint _word;
    private int _writer;

    /// <summary>What waiters sleep on.</summary>
    [UnscopedRef]
    internal ref uint Word => ref _word;

    /// <summary>The number of readers inside. A snapshot of a moment.</summary>
    public readonly int ReaderCount => (int)(Volatile.Read(in _word) & ReaderMask);

    /// <summary>
    /// The id of the participant that holds it for writing, 0 when none does. A snapshot of a moment.
    /// </summary>
    internal readonly int WriterId => Volatile.Read(in _writer);

    /// <summary>
    /// True when the calling participant holds it for writing; only the caller itself can change the answer.
    /// </summary>
    public readonly bool IsWriteHeldByCurrent => LockOwner.Current is { } owner && WriterId == owner.OwnerId;

    /// <summary>Enters for reading, waiting as long as it takes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing, or its thread is not attached to a session.
    /// </exception>
    public void EnterRead() => TryEnterRead(Timeout.InfiniteTimeSpan);

    /// <summary>Enters for reading, waiting at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: without limit.
    /// </param>
    /// <returns>True when entered, false when the time passed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative time.</exception>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing, or its thread is not attached to a session.
    /// </exception>
    public bool TryEnterRead(TimeSpan timeout)
    {
        LockOwner owner = LockWord.Caller();
        Deadline deadline = Deadline.After(timeout);
        return TryReadAtOnce() || EnterReadSlowly(owner, deadline, wait: timeout != TimeSpan.Zero);
    }

    /// <summary>Leaves after reading; the last reader wakes those who wait.</summary>
    /// <exception cref="InvalidOperationException">
    /// Nobody reads, or the thread is not attached to a session.
    /// </exception>
    public void ExitRead()
    {
        LockWord.Caller();
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            uint readers = seen & ReaderMask;
            if (readers == 0)
                throw new InvalidOperationException(
                    "A reader leaves an arena reader-writer lock that nobody reads.");
            bool handsOver = readers == 1 && (seen & Contended) != 0;
            uint rest = handsOver ? (seen & ~ReaderMask) | WriterInside : readers == 1 ? 0 : seen - 1;
            if (Interlocked.CompareExchange(ref _word, rest, seen) != seen) continue;
            if (handsOver) HandOver();
            return;
        }
    }

    /// <summary>Enters for writing, waiting as long as it takes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing already, or its thread is not attached to a session.
    /// </exception>
    public void EnterWrite() => TryEnterWrite(Timeout.InfiniteTimeSpan);

    /// <summary>Enters for writing, waiting at most <paramref name="timeout"/>.</summary>
    /// <param name="timeout">
    /// Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: without limit.
    /// </param>
    /// <returns>True when entered, false when the time passed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative time.</exception>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing already, or its thread is not attached to a session.
    /// </exception>
    public bool TryEnterWrite(TimeSpan timeout)
    {
        LockOwner owner = LockWord.Caller();
        Deadline deadline = Deadline.After(timeout);
        return TryWriteAtOnce(owner) || EnterWriteSlowly(owner, deadline, wait: timeout != TimeSpan.Zero);
    }

    /// <summary>Leaves after writing and wakes all who wait.</summary>
    /// <exception cref="InvalidOperationException">The caller does not hold it for writing.</exception>
    public void ExitWrite()
    {
        LockOwner owner = LockWord.Caller();
        if (_writer != owner.OwnerId)
        {
            throw new InvalidOperationException(
                $"'{owner.OwnerName}' (owner {owner.OwnerId}) leaves an arena reader-writer lock that " +
                (_writer == 0 ? "nobody writes." : $"owner {_writer} holds for writing."));
        }

        Volatile.Write(ref _writer, 0);
        if (Interlocked.CompareExchange(ref _word, 0, WriterInside) != WriterInside) HandOver();
    }

    /// <summary>Enters for reading, and leaves at the end of the scope.</summary>
    /// <returns>The scope; it refers to the lock.</returns>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing, or its thread is not attached to a session.
    /// </exception>
    [UnscopedRef]
    public Scope EnterReadScope()
    {
        EnterRead();
        return new Scope(ref this, isWriter: false);
    }

    /// <summary>Enters for writing, and leaves at the end of the scope.</summary>
    /// <returns>The scope; it refers to the lock.</returns>
    /// <exception cref="InvalidOperationException">
    /// The caller holds it for writing already, or its thread is not attached to a session.
    /// </exception>
    [UnscopedRef]
    public Scope EnterWriteScope()
    {
        EnterWrite();
        return new Scope(ref this, isWriter: true);
    }

    /// <summary>Enters for reading if nobody writes or waits to.</summary>
    internal bool TryReadAtOnce()
    {
        uint seen = Volatile.Read(ref _word);
        return (seen & (WriterInside | WriterWaiting)) == 0
            && Interlocked.CompareExchange(ref _word, seen + 1, seen) == seen;
    }

    /// <summary>Enters for writing if the lock is free and nobody waits.</summary>
    internal bool TryWriteAtOnce(LockOwner owner)
    {
        if (Interlocked.CompareExchange(ref _word, WriterInside, 0) != 0) return false;
        Volatile.Write(ref _writer, owner.OwnerId);
        return true;
    }

    /// <summary>One look of a reader that waits. Giving up is allowed after it.</summary>
    /// <param name="yields">In: whether it lets a waiting writer go first. Out: whether it does.</param>
    /// <param name="expected">What the word holds while there is nothing to do but to sleep.</param>
    /// <returns>True when it is inside.</returns>
    internal bool TryReadOrMark(ref bool yields, out uint expected)
    {
        bool mayYield = yields;
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            expected = seen | Contended;
            yields = mayYield && (seen & WriterWaiting) != 0 && (seen & ReaderMask) != 0;
            if ((seen & WriterInside) == 0 && !yields)
            {
                if (Interlocked.CompareExchange(ref _word, seen + 1, seen) == seen) return true;
                continue;
            }

            if (seen == expected || Interlocked.CompareExchange(ref _word, expected, seen) == seen)
                return false;
        }
    }

    /// <summary>
    /// One look of a writer that waits. Giving up after it needs <see cref="GiveUpWriting"/>.
    /// </summary>
    /// <inheritdoc cref="TryReadOrMark"/>
    internal bool TryWriteOrMark(LockOwner owner, out uint expected)
    {
        while (true)
        {
            uint seen = Volatile.Read(ref _word);
            expected = seen | Contended | WriterWaiting;
            if ((seen & (WriterInside | ReaderMask)) == 0)
            {
                if (Interlocked.CompareExchange(ref _word, seen | WriterInside, seen) != seen) continue;
                Volatile.Write(ref _writer, owner.OwnerId);
                return true;
            }

            if (seen == expected || Interlocked.CompareExchange(ref _word, expected, seen) == seen)
                return false;
        }
    }

    /// <summary>
    /// Readers held back by this writer, and other writers, look again and set their own hints.
    /// </summary>
    internal void GiveUpWriting()
    {
        Interlocked.And(ref _word, ~WriterWaiting);
        LockWord.Wake(ref _word, LockWord.All);
    }

    internal readonly void ThrowIfWriter(LockOwner owner)
    {
        if (Volatile.Read(in _writer) == owner.OwnerId)
        {
            throw new InvalidOperationException(
                $"'{owner.OwnerName}' (owner {owner.OwnerId}) enters an arena reader-writer lock that it " +
                "holds for writing; the lock is not recursive. After a restart, ask IsWriteHeldByCurrent " +
                "first.");
        }
    }

    private bool EnterReadSlowly(LockOwner owner, Deadline deadline, bool wait)
    {
        ThrowIfWriter(owner);
        bool mayYield = true;
        bool expired = false;
        while (true)
        {
            bool yields = mayYield;
            if (!wait && (Volatile.Read(ref _word) & WriterInside) != 0) return false;
            if (TryReadOrMark(ref yields, out uint expected)) return true;
            if (!wait || expired) return false;
            long remaining = deadline.RemainingNanoseconds;
            bool isBrief = yields && (remaining < 0 || remaining > YieldNanoseconds);
            bool isInTime =
                LockWord.Sleep(owner, ref _word, expected, isBrief ? YieldNanoseconds : remaining);
            mayYield &= isInTime;
            expired = !isInTime && !isBrief;
        }
    }

    private bool EnterWriteSlowly(LockOwner owner, Deadline deadline, bool wait)
    {
        ThrowIfWriter(owner);
        bool expired = false;
        while (true)
        {
            if (!wait && (Volatile.Read(ref _word) & (WriterInside | ReaderMask)) != 0) return false;
            if (TryWriteOrMark(owner, out uint expected)) return true;
            if (!wait || expired)
            {
                GiveUpWriting();
                return false;
            }

            expired = !LockWord.Sleep(owner, ref _word, expected, deadline.RemainingNanoseconds);
        }
    }

    /// <summary>
    /// The caller alone is inside, as bit 30 says, and leaves: to the first fiber that was passed over, with
    /// all others of these that read if it reads. If none was, the lock is free. Beside fibers that read
    /// others may.
    /// </summary>
    private unsafe void HandOver()
    {
        WaitNode* heirs;
        WaitNode* woken = null;
        bool isWriter;
        using (WaitTable.Queue queue = WaitTable.Hold(LockWord.AddressOf(ref _word)))
        {
            isWriter = queue.FirstCraving() == Craving.Exclusive;
            heirs = queue.TakeHeirs(isWriter ? 1 : LockWord.All, out int taken);
            for (WaitNode* heir = heirs; heir != null; heir = heir->Next) heir->Granted = 1;
            if (isWriter) Volatile.Write(ref _writer, heirs->OwnerId);
            else woken = queue.Take(LockWord.All);
            uint hints = isWriter || queue.FirstCraving() != Craving.None ? WriterWaiting | Contended : 0;
            Interlocked.Exchange(ref _word, hints | (isWriter ? WriterInside : (uint)taken));
        }

        WaitTable.Deliver(heirs);
        WaitTable.Deliver(woken);
        if (!isWriter) LockWord.WakeThreads(ref _word, LockWord.All);
    }

    /// <summary>Leaves the lock when disposed.</summary>
    public readonly ref struct Scope
    {
        private readonly ref ArenaReaderWriterLock _lock;
        private readonly bool _isWriter;

        internal Scope(ref ArenaReaderWriterLock target, bool isWriter)
        {
            _lock = ref target;
            _isWriter = isWriter;
        }

        /// <summary>Leaves the lock.</summary>
        /// <exception cref="InvalidOperationException">The caller does not hold it.</exception>
        public void Dispose()
        {
            if (_isWriter) _lock.ExitWrite();
            else _lock.ExitRead();
        }
    }
}
