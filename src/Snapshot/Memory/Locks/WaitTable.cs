using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Memory.Locks;

/// <summary>
/// Which fibers wait for which word, and whether threads sleep: what the kernel's futex table is to threads.
/// </summary>
/// <remarks>
/// <para>One table for the process, outside arenas, hashed by address. A bucket is a list in the order of
/// arrival, behind a lock held for a handful of instructions and never across a call that may wait.</para>
/// <para>No lost wake-up. A waker changes the word (interlocked), then looks at the bucket's counts. A waiter
/// raises a count (interlocked), then compares the word, under the bucket's lock for a fiber, in the kernel
/// for a thread. So either the waker sees the count, or the waiter sees the new word. The counts only spare
/// the work where nobody waits; two words in one bucket merely cause a look that finds nothing.</para>
/// <para>A fiber that was woken and found its lock taken again says so when it waits once more (<see
/// cref="WaitNode.Craving"/>), and no wake reaches it any more: whoever leaves the lock hands it over. That
/// needs what a lock must keep to: while such a fiber is here the lock's word says that it is taken, and that
/// somebody may wait; and it becomes free only while its queue is held (<see cref="Hold"/>) and has none of
/// them.</para>
/// <para>Locks allow for wakes that meet nobody and for wakes too many, so waking a fiber and a thread where
/// one was asked for is right. It is done because neither kind may starve behind the other.</para>
/// </remarks>
internal static unsafe class WaitTable
{
    private const int BucketShift = 8;

    private static readonly Bucket* s_buckets = Allocate();

    /// <summary>A cache line, so that unrelated words do not meet.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Bucket
    {
        internal int Lock;
        internal int Fibers;
        internal int Sleepers;
        internal WaitNode* First;
        internal WaitNode* Last;
    }

    /// <summary>Enqueues a waiter, provided that the word has the expected value.</summary>
    /// <returns>False when it has another value; the node is as before.</returns>
    internal static bool TryPark(WaitNode* node, uint* word, uint expected)
    {
        Bucket* bucket = BucketOf(word);
        Acquire(bucket);
        Interlocked.Increment(ref bucket->Fibers);
        if (Volatile.Read(ref *word) != expected)
        {
            Interlocked.Decrement(ref bucket->Fibers);
            Release(bucket);
            return false;
        }

        node->Word = word;
        node->Next = null;
        if (bucket->Last == null) bucket->First = node;
        else bucket->Last->Next = node;
        bucket->Last = node;
        Release(bucket);
        return true;
    }

    /// <summary>Takes a waiter out that waits no longer.</summary>
    /// <returns>False when it had been woken: it is in its inbox, or on the way there.</returns>
    internal static bool TryRemove(WaitNode* node, uint* word)
    {
        Bucket* bucket = BucketOf(word);
        Acquire(bucket);
        WaitNode* before = null;
        WaitNode* at = bucket->First;
        for (; at != null && at != node; at = at->Next) before = at;
        if (at != null) Unlink(bucket, before, at);
        Release(bucket);
        return at != null;
    }

    /// <summary>
    /// Wakes as many fibers that wait for the word, the longest waiting first. To be called after it was
    /// changed.
    /// </summary>
    internal static void WakeFibers(uint* word, int count)
    {
        if (Volatile.Read(ref BucketOf(word)->Fibers) == 0) return;
        WaitNode* woken;
        using (Queue queue = Hold(word)) woken = queue.Take(count);
        Deliver(woken);
    }

    /// <summary>Nobody begins or ends a wait for the word until the result is disposed of.</summary>
    internal static Queue Hold(uint* word)
    {
        Bucket* bucket = BucketOf(word);
        Acquire(bucket);
        return new Queue(bucket, word);
    }

    /// <summary>Sends a list of waiters that were taken out to those who run them.</summary>
    internal static void Deliver(WaitNode* woken)
    {
        while (woken != null)
        {
            WaitNode* next = woken->Next;
            WaitInbox.Push(woken->Inbox, woken);
            woken = next;
        }
    }

    /// <summary>A thread is about to sleep on the word; it must compare the word after this.</summary>
    internal static void EnterSleep(uint* word) => Interlocked.Increment(ref BucketOf(word)->Sleepers);

    internal static void LeaveSleep(uint* word) => Interlocked.Decrement(ref BucketOf(word)->Sleepers);

    /// <summary>Whether a thread may be asleep on the word. To be asked after the word was changed.</summary>
    internal static bool MayHaveSleepers(uint* word) =>
        Volatile.Read(ref BucketOf(word)->Sleepers) != 0 || NativeThreadsSleep;

    /// <summary>
    /// There are native threads in the process. They sleep on words without being counted here: one that was
    /// captured asleep sleeps again in the next process, by the system call at which it stood.
    /// </summary>
    internal static bool NativeThreadsSleep { get; set; }

    private static void Unlink(Bucket* bucket, WaitNode* before, WaitNode* node)
    {
        if (before == null) bucket->First = node->Next;
        else before->Next = node->Next;
        if (bucket->Last == node) bucket->Last = before;
        node->Word = null;
        Interlocked.Decrement(ref bucket->Fibers);
    }

    private static void Acquire(Bucket* bucket)
    {
        SpinWait spin = default;
        while (Interlocked.Exchange(ref bucket->Lock, 1) != 0) spin.SpinOnce(sleep1Threshold: -1);
    }

    private static void Release(Bucket* bucket) => Volatile.Write(ref bucket->Lock, 0);

    /// <summary>
    /// By Fibonacci hashing of the address: neighbouring words fall into different buckets.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Bucket* BucketOf(uint* word) =>
        s_buckets + ((((ulong)word >> 2) * 0x9E37_79B9_7F4A_7C15) >> (64 - BucketShift));

    private static Bucket* Allocate()
    {
        nuint bytes = (nuint)(sizeof(Bucket) << BucketShift);
        Bucket* buckets = (Bucket*)NativeMemory.AlignedAlloc(bytes, (nuint)sizeof(Bucket));
        NativeMemory.Clear(buckets, bytes);
        return buckets;
    }

    /// <summary>
    /// The fibers that wait for one word, held still. What is taken out is for <see cref="Deliver"/>.
    /// </summary>
    internal readonly ref struct Queue
    {
        private readonly Bucket* _bucket;
        private readonly uint* _word;

        internal Queue(void* bucket, uint* word)
        {
            _bucket = (Bucket*)bucket;
            _word = word;
        }

        /// <summary>
        /// Takes out those that wait longest, in this order; not those that were passed over, for whom there
        /// is only <see cref="TakeHeirs"/>.
        /// </summary>
        internal WaitNode* Take(int count) => TakeWhere(Craving.None, count, out _);

        /// <summary>
        /// Takes out those that were passed over and want the same as the first of them, in the order in
        /// which they wait: what they want is theirs, to be stored by the caller.
        /// </summary>
        internal WaitNode* TakeHeirs(int count, out int taken)
        {
            taken = 0;
            Craving craving = FirstCraving();
            return craving == Craving.None ? null : TakeWhere(craving, count, out taken);
        }

        /// <summary>What the first wants that was passed over; None when none was.</summary>
        internal Craving FirstCraving()
        {
            for (WaitNode* at = _bucket->First; at != null; at = at->Next)
            {
                if (at->Word == _word && at->Craving != Craving.None) return at->Craving;
            }

            return Craving.None;
        }

        public void Dispose() => Release(_bucket);

        private WaitNode* TakeWhere(Craving craving, int count, out int taken)
        {
            taken = 0;
            WaitNode* first = null;
            WaitNode* last = null;
            WaitNode* before = null;
            for (WaitNode* at = _bucket->First; at != null && taken < count;)
            {
                WaitNode* next = at->Next;
                if (at->Word != _word || at->Craving != craving) before = at;
                else
                {
                    Unlink(_bucket, before, at);
                    at->Next = null;
                    if (last == null) first = at;
                    else last->Next = at;
                    last = at;
                    taken++;
                }

                at = next;
            }

            return first;
        }
    }
}
