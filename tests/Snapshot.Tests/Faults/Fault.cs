using System.Globalization;
using Snapshot.TestPrograms.Life;

namespace Snapshot.Tests.Faults;

/// <summary>One fault of one life.</summary>
/// <param name="Kind">The kind of call, as the rig names it.</param>
/// <param name="Nth">Which of them is hit.</param>
/// <param name="Action">What becomes of it.</param>
/// <param name="Value">The errno, or microseconds.</param>
/// <param name="IsLasting">Whether all later ones are hit, too.</param>
internal sealed record Fault(string Kind, long Nth, RigAction Action, int Value, bool IsLasting)
{
    private const int FirstLooks = 12;

    private static readonly (string Kind, int[] Errnos)[] s_table =
    [
        ("open", [Errno.Access, Errno.Quota, Errno.Io, Errno.Loop, Errno.ProcessFiles, Errno.SystemFiles,
            Errno.Memory, Errno.Space, Errno.ReadOnly, Errno.Permission]),
        ("close", [Errno.Interrupted, Errno.Io, Errno.Space, Errno.Quota]),
        ("read", [Errno.Interrupted, Errno.Io]),
        ("write", [Errno.Interrupted, Errno.Io, Errno.Space, Errno.Quota, Errno.TooBig, Errno.Permission]),
        ("sync", [Errno.Io, Errno.Space, Errno.Quota, Errno.ReadOnly]),
        ("rename",
            [Errno.Access, Errno.Busy, Errno.Quota, Errno.Io, Errno.Memory, Errno.Space, Errno.ReadOnly,
            Errno.Permission]),
        ("unlink", [Errno.Access, Errno.Busy, Errno.Io, Errno.Memory, Errno.ReadOnly, Errno.Permission]),
        ("truncate", [Errno.Interrupted, Errno.Io, Errno.TooBig, Errno.Permission]),
        ("stat", [Errno.Access, Errno.Io, Errno.Memory]),
        ("lock", [Errno.Interrupted, Errno.WouldBlock, Errno.NoLocks, Errno.NotImplemented]),
        ("fcntl", [Errno.Invalid, Errno.Permission]),
        ("mkdir", [Errno.Access, Errno.Quota, Errno.Io, Errno.Memory, Errno.Space, Errno.ReadOnly]),
        ("opendir", [Errno.Access, Errno.ProcessFiles, Errno.SystemFiles, Errno.Memory]),
        ("readdir", [Errno.Io]),
        ("allocate", [Errno.TooBig, Errno.Interrupted, Errno.Io, Errno.Space]),
        ("mode", [Errno.Io, Errno.Permission, Errno.ReadOnly]),
        ("link", [Errno.Access, Errno.Quota, Errno.Io, Errno.Space, Errno.ReadOnly]),
        ("access", [Errno.Access, Errno.Io, Errno.Memory]),
        ("mmap", [Errno.Memory, Errno.WouldBlock]),
        ("munmap", [Errno.Memory]),
        ("madvise", [Errno.Memory, Errno.WouldBlock]),
        ("mprotect", [Errno.Memory]),
        ("ioctl", [Errno.Memory, Errno.WouldBlock]),
        ("futex", [Errno.Interrupted, Errno.WouldBlock]),
        ("userfaultfd", [Errno.Permission, Errno.ProcessFiles, Errno.SystemFiles, Errno.Memory]),
    ];

    internal static int[] ErrnosOf(string kind) => Array.Find(s_table, entry => entry.Kind == kind).Errnos;

    /// <summary>
    /// Every errno of the table at every call, every read and write shortened, and some that last: a disk
    /// that is full, or gone, from a call on.
    /// </summary>
    /// <param name="calls">How many calls of each kind a life makes.</param>
    internal static IEnumerable<Fault> All(IReadOnlyDictionary<string, long> calls)
    {
        foreach ((string kind, int[] errnos) in s_table)
        {
            for (long nth = 1; nth <= calls[kind]; nth++)
            {
                foreach (int errno in errnos) yield return new Fault(kind, nth, RigAction.Fail, errno, false);
                if (kind is "read" or "write") yield return new Fault(kind, nth, RigAction.Short, 0, false);
                if (kind is "write" or "sync" or "rename" or "open")
                    yield return new Fault(kind, nth, RigAction.Fail, Errno.Space, true);
                if (kind is "read" or "write" or "sync" or "unlink")
                    yield return new Fault(kind, nth, RigAction.Fail, Errno.Io, true);
            }
        }
    }

    /// <summary>
    /// Whether the kernel has no memory for a change of mappings or of what tracks them, or the store's
    /// directory and first files cannot be looked at after they were opened.
    /// </summary>
    internal bool IsAlwaysTried => Kind == "stat"
        ? Value == Errno.Io && Nth <= FirstLooks
        : Value == Errno.Memory && Kind is ("mmap" or "munmap" or "mprotect" or "ioctl");

    /// <summary>Unlike that of any other, and good for a file.</summary>
    internal string Name => string.Create(
        CultureInfo.InvariantCulture, $"{Kind}-{Nth}-{Action}-{Value}{(IsLasting ? "-lasting" : "")}");

    /// <summary>As the verb "sweep" reads it.</summary>
    internal string Line => string.Create(
        CultureInfo.InvariantCulture, $"{Name} {Kind} {Nth} {(int)Action} {Value} {(IsLasting ? 1 : 0)}");
}

/// <summary>The errnos of Linux that faults have.</summary>
internal static class Errno
{
    internal const int Permission = 1;
    internal const int Interrupted = 4;
    internal const int Io = 5;
    internal const int WouldBlock = 11;
    internal const int Memory = 12;
    internal const int Access = 13;
    internal const int Busy = 16;
    internal const int Invalid = 22;
    internal const int SystemFiles = 23;
    internal const int ProcessFiles = 24;
    internal const int TooBig = 27;
    internal const int Space = 28;
    internal const int ReadOnly = 30;
    internal const int NoLocks = 37;
    internal const int NotImplemented = 38;
    internal const int Loop = 40;
    internal const int Quota = 122;
}
