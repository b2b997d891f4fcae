using System.Runtime.InteropServices;
using Snapshot.Interop;

namespace Snapshot.Memory.Locks;

/// <summary>Woken waiters on their way to the one thread that runs them.</summary>
/// <remarks>
/// Not in an arena: it exists in one process. Many push, one takes. A push is a compare-and-swap; it enters
/// the kernel only when the thread said that it is about to sleep. The thread announces the sleep, then looks
/// once more, then sleeps on the signal it read before; a pusher pushes, then looks at the announcement. Both
/// steps are interlocked, so one of the two sees the other and no wake is lost.
/// </remarks>
internal unsafe struct WaitInbox
{
    private nint _head;
    private uint _signal;
    private int _sleeping;

    internal static WaitInbox* Create() => (WaitInbox*)NativeMemory.AllocZeroed((nuint)sizeof(WaitInbox));

    /// <summary>The word the thread sleeps on.</summary>
    internal static uint* SignalOf(WaitInbox* inbox) => &inbox->_signal;

    /// <summary>Adds a waiter. Any thread.</summary>
    internal static void Push(WaitInbox* inbox, WaitNode* node)
    {
        nint head = Volatile.Read(ref inbox->_head);
        while (true)
        {
            node->Next = (WaitNode*)head;
            nint found = Interlocked.CompareExchange(ref inbox->_head, (nint)node, head);
            if (found == head) break;
            head = found;
        }

        Ring(inbox);
    }

    /// <summary>Makes the thread look, if it sleeps or is about to. Any thread.</summary>
    internal static void Ring(WaitInbox* inbox)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref inbox->_sleeping) == 0) return;
        Volatile.Write(ref inbox->_sleeping, 0);
        Interlocked.Increment(ref inbox->_signal);
        Futex.WakeOne(&inbox->_signal);
    }

    /// <summary>Takes all, first pushed first. Only the owning thread.</summary>
    internal static WaitNode* TakeAll(WaitInbox* inbox)
    {
        if (Volatile.Read(ref inbox->_head) == 0) return null;
        WaitNode* node = (WaitNode*)Interlocked.Exchange(ref inbox->_head, 0);
        WaitNode* first = null;
        while (node != null)
        {
            WaitNode* next = node->Next;
            node->Next = first;
            first = node;
            node = next;
        }

        return first;
    }

    /// <summary>
    /// Announces a sleep; what is returned is to be slept on, after one more look for what was pushed. Only
    /// the owning thread.
    /// </summary>
    internal static uint AnnounceSleep(WaitInbox* inbox)
    {
        uint signal = Volatile.Read(ref inbox->_signal);
        Interlocked.Exchange(ref inbox->_sleeping, 1);
        return signal;
    }

    /// <summary>Whether nothing was pushed that was not taken. Only the owning thread.</summary>
    internal static bool IsEmpty(WaitInbox* inbox) => Volatile.Read(ref inbox->_head) == 0;

    /// <summary>Only the owning thread, after it slept.</summary>
    internal static void Awake(WaitInbox* inbox) => Volatile.Write(ref inbox->_sleeping, 0);
}
