using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Memory.Locks;

/// <summary>
/// Which fibers wait for which word, and whether threads sleep: what the kernel's futex table is to threads.
/// </summary>
/// <remarks>
/// <para>One table for the process, outside arenas, hashed by address. A bucket is a list in the order of arrival,
/// behind a lock held for a handful of instructions and never across a call that may wait.</para>
/// <para>No lost wake-up. A waker changes the word (interlocked), then looks at the bucket's counts. A waiter raises a
/// count (interlocked), then compares the word, under the bucket's lock for a fiber, in the kernel for a thread. So
/// either the waker sees the count, or the waiter sees the new word. The counts only spare the work where nobody
/// waits; two words in one bucket merely cause a look that finds nothing.</para>
/// <para>Locks allow for wakes that meet nobody and for wakes too many, so waking a fiber and a thread where one was
/// asked for is right. It is done because neither kind may starve behind the other.</para>
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

    /// <summary>Wakes as many fibers that wait for the word, the longest waiting first.</summary>
    internal static void WakeFibers(uint* word, int count)
    {
        Bucket* bucket = BucketOf(word);
        if (Volatile.Read(ref bucket->Fibers) == 0) return;
        WaitNode* woken = null;
        WaitNode* lastWoken = null;
        Acquire(bucket);
        WaitNode* before = null;
        for (WaitNode* at = bucket->First; at != null && count > 0;)
        {
            WaitNode* next = at->Next;
            if (at->Word != word) before = at;
            else
            {
                Unlink(bucket, before, at);
                at->Next = null;
                if (lastWoken == null) woken = at;
                else lastWoken->Next = at;
                lastWoken = at;
                count--;
            }

            at = next;
        }

        Release(bucket);
        Deliver(woken);
    }

    /// <summary>
    /// Takes out the first fiber that waits for the word, if it was passed over before: the lock is its, to be stored
    /// by the caller, who then calls <see cref="Deliver"/>.
    /// </summary>
    internal static WaitNode* TakeHeir(uint* word)
    {
        Bucket* bucket = BucketOf(word);
        if (Volatile.Read(ref bucket->Fibers) == 0) return null;
        Acquire(bucket);
        WaitNode* before = null;
        WaitNode* at = bucket->First;
        for (; at != null && at->Word != word; at = at->Next) before = at;
        if (at != null && at->Craving != Craving.None)
        {
            Unlink(bucket, before, at);
            at->Next = null;
        }
        else at = null;

        Release(bucket);
        return at;
    }

    /// <summary>Sends a list of woken waiters to those who run them.</summary>
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
    internal static bool MayHaveSleepers(uint* word) => Volatile.Read(ref BucketOf(word)->Sleepers) != 0;

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

    /// <summary>By Fibonacci hashing of the address: neighbouring words fall into different buckets.</summary>
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
}
