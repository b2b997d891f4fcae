using System.Runtime.CompilerServices;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Memory.Locks;

/// <summary>
/// What the arena locks share: who calls, how the caller sleeps on the word of a lock, how sleepers are
/// woken.
/// </summary>
/// <remarks>
/// Two facts carry every argument in this folder. (1) A capture happens only while each owner is at a
/// safepoint or inside <see cref="LockOwner.Wait"/>; so all stores that an owner makes between two such
/// points are in the image together or not at all. (2) After a restart nobody sleeps: an owner that was
/// captured in a wait calls the operation again from its start. Hence a lock's words may say that somebody
/// <em>may</em> be asleep, never that somebody is.
/// </remarks>
internal static unsafe class LockWord
{
    internal const int All = int.MaxValue;

    /// <summary>
    /// A few hundred nanoseconds, spent once before the first sleep: enough to bridge a short critical
    /// section on another core, and less than the sleep and the wake would cost.
    /// </summary>
    private const int SpinIterations = 8;

    /// <summary>
    /// Who calls. Each operation asks first, so that whether a caller is refused does not depend on who holds
    /// the lock.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The thread is not attached to a session, or is in a blocked region.
    /// </exception>
    internal static LockOwner Caller() =>
        LockOwner.Current is { IsBlocked: false } owner ? owner : throw Refused(LockOwner.Current);

    internal static void SpinBriefly() => Thread.SpinWait(SpinIterations);

    /// <summary>
    /// Sleeps while the word has the expected value; may return early. False when the time passed.
    /// </summary>
    internal static bool Sleep(LockOwner owner, ref uint word, uint expected, long timeoutNanoseconds)
    {
        uint* address = AddressOf(ref word);
        WaitTable.EnterSleep(address);
        try
        {
            return owner.Wait(address, expected, timeoutNanoseconds);
        }
        catch
        {
            // This owner may have consumed a wake meant for one sleeper; hand it on before leaving.
            Wake(ref word, 1);
            throw;
        }
        finally
        {
            WaitTable.LeaveSleep(address);
        }
    }

    /// <summary>
    /// Wakes as many fibers and as many threads that wait for the word. To be called after it was changed.
    /// </summary>
    internal static void Wake(ref uint word, int count)
    {
        WaitTable.WakeFibers(AddressOf(ref word), count);
        WakeThreads(ref word, count);
    }

    /// <summary>Wakes as many threads that wait for the word. To be called after it was changed.</summary>
    internal static void WakeThreads(ref uint word, int count)
    {
        uint* address = AddressOf(ref word);
        if (!WaitTable.MayHaveSleepers(address)) return;
        Futex.Wake(address, count, "The lock does not lie in committed memory; locks belong into an arena.");
    }

    // A lock lies in an arena: its address never changes, so no pin is needed.
    internal static uint* AddressOf(ref uint word) => (uint*)Unsafe.AsPointer(ref word);

    private static InvalidOperationException Refused(LockOwner? owner) => new(owner is null
        ? "This thread takes no part in a session, so it can neither own an arena lock nor be stopped " +
            "while it waits for one. Attach the thread to the session first."
        : $"{owner.OwnerName} is inside a blocked region, where memory may be captured at any moment, so " +
            "it cannot use an arena lock. Leave the region first.");
}
