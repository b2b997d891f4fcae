using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>Stops all native threads, and lets them go on.</summary>
/// <remarks>For one thread at a time; <see cref="Describe"/> for any.</remarks>
/// <param name="answer">Answers what native threads ask.</param>
internal sealed unsafe class NativeStop(Action answer)
{
    /// <summary>
    /// After this long all go on for a moment: what the late one waits for may be held by one that is
    /// stopped.
    /// </summary>
    private const long SliceNanoseconds = 100_000_000;

    private volatile string? _late;

    /// <summary>
    /// Stops them; returns when all are stopped, or when that is not wanted any more and all run.
    /// </summary>
    /// <returns>Whether they are stopped.</returns>
    internal bool TryStop(Func<bool> isWanted)
    {
        while (true)
        {
            int errno = NativeRuntime.snt_stop(SliceNanoseconds);
            if (errno == 0)
            {
                _late = null;
                return true;
            }

            // EAGAIN: a thread asks something.
            if (errno is not (Errno.TimedOut or Errno.TryAgain))
                throw NativeError.For(errno, "Stopping native threads", "The runtime's tables are damaged.");
            if (errno == Errno.TimedOut) _late = Late();
            if (!isWanted()) return false;

            // A thread may need an answer before it can be stopped, or before the one that waits for it can.
            answer();
        }
    }

    internal static void Resume() => NativeRuntime.snt_resume();

    /// <summary>
    /// Whether a thread that stops or wakes the others does so without a real-time priority.
    /// </summary>
    internal static void KeepPriorities(bool keep) => NativeRuntime.snt_keep_priorities(keep ? 1 : 0);

    /// <summary>Which thread does not stop, and where it is; null when there is none.</summary>
    internal string? Describe() => _late;

    private static string? Late()
    {
        void* record;
        ulong pc;
        int reason;
        if (NativeRuntime.snt_late(&record, &pc, &reason) != 0) return null;
        string where = pc == 0 ? "an unknown place" : NativeRuntime.Describe(pc);
        return $"native thread '{NativeRecord.NameOf((NativeRecord*)record)}' does not stop: it is in " +
            $"{where}{WhyNot(reason)}";
    }

    /// <summary>The errno of the runtime's last look at the thread.</summary>
    private static string WhyNot(int reason) => reason switch
    {
        115 => ", a call that has not returned (wait in the kernel inside sn_blocked_call only)",
        16 =>
            ", where Snapshot does not disturb a thread: unwinding, in setjmp, or in the handler of " +
            "another signal",
        11 => ", in a critical section",
        125 => ", and one of its handlers refuses the capture",
        2 => ", which has no unwind tables",
        14 or 95 => ", where Snapshot cannot walk its stack",
        _ => "",
    };
}
