using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>Finds out what the machine can do; leaves no descriptor, mapping or registration behind.</summary>
internal static unsafe class CapabilityProbe
{
    private const int EAgain = 11;
    private const int EExist = 17;

    internal static KernelCapabilities Run()
    {
        Native.Require();
        string release = ReadText("/proc/sys/kernel/osrelease") ?? "unknown";
        int privileged = OpenUserfault(userModeOnly: 0);
        int userMode = OpenUserfault(userModeOnly: 1);
        WriteProtectProbe.Result tracking = WriteProtectProbe.Run();
        ProbeFault.Result demand = PagesOnDemandProbe.Run();
        ProbeFault.Result write = CopyOnWriteProbe.Run();
        (bool scan, string scanDetail) = WriteProtectProbe.RunScan();
        (bool waitv, string waitvDetail) = ProbeFutexWaitv();
        (bool noReplace, string noReplaceDetail) = ProbeFixedNoReplace();
        (bool names, string namesDetail) = ProbeMappingNames();
        string hugePages = ReadHugePages();
        long maxMaps = ReadNumber("/proc/sys/vm/max_map_count");
        int overcommit = (int)ReadNumber("/proc/sys/vm/overcommit_memory");
        long memlock = ReadMemlock();
        int pageSize = Environment.SystemPageSize;

        return new KernelCapabilities
        {
            KernelRelease = release,
            PageSize = pageSize,
            HugePages = hugePages,
            UserfaultPrivileged = privileged == 0,
            UserfaultUserMode = userMode == 0,
            WriteProtectTracking = tracking.Writes && tracking.KernelWrites,
            KernelWritesTracked = tracking.KernelWrites,
            PagesOnDemand = demand.Works,
            PagesOnDemandInSystemCalls = demand.InSystemCalls,
            CopyOnWrite = write.Works && scan,
            CopyOnWriteInSystemCalls = write.InSystemCalls,
            PagemapScan = scan,
            FutexWaitv = waitv,
            FixedNoReplace = noReplace,
            MappingNames = names,
            MaxMapCount = maxMaps,
            OvercommitPolicy = overcommit,
            MemlockBytes = memlock,
            Items =
            [
                new("kernel", true, release, ""),
                new(KernelCapabilities.PageSizeName, pageSize == Pages.Size, $"{pageSize} bytes",
                    pageSize == Pages.Size ? "" : $"Snapshot cannot run here: it needs pages of {Pages.Size} bytes."),
                new("huge pages", hugePages is "always" or "madvise", hugePages,
                    hugePages is "always" or "madvise"
                        ? ""
                        : "Arenas use 4 KiB pages: more faults at first touch, slower tracking."),
                new(KernelCapabilities.UserfaultName, userMode == 0, DescribeUserfault(privileged, userMode),
                    userMode == 0
                        ? ""
                        : "Changed pages are found by content hash, which reads all memory inside the pause."),
                new(KernelCapabilities.WriteTrackingName, tracking.Writes, tracking.WritesDetail,
                    tracking.Writes
                        ? ""
                        : "Changed pages are found by content hash, which reads all memory inside the pause."),
                new(KernelCapabilities.KernelWritesName, tracking.KernelWrites, tracking.KernelWritesDetail,
                    tracking.KernelWrites ? "" : "Write tracking would miss them, so content hash is used."),
                .. Served(demand, write),
                new(KernelCapabilities.PagemapScanName, scan, scanDetail,
                    scan ? "" : "Content hash cannot skip memory that was never used."),
                new("futex_waitv", waitv, waitvDetail,
                    waitv ? "" : "A thread that waits for a lock in an arena notices a checkpoint later."),
                new("MAP_FIXED_NOREPLACE", noReplace, noReplaceDetail,
                    noReplace ? "" : "An arena cannot be placed safely; Linux 4.17 or newer is needed."),
                new("mapping names", names, namesDetail, names ? "" : "Arenas have no name in /proc/PID/maps."),
                new("vm.max_map_count", maxMaps != -1, maxMaps == -1 ? "cannot be read" : Invariant(maxMaps), ""),
                new("vm.overcommit_memory", overcommit is 0 or 1, DescribeOvercommit(overcommit),
                    overcommit == 2 ? "Committed arena memory counts against the commit limit at once." : ""),
                new("locked memory", memlock != -1, DescribeMemlock(memlock), ""),
            ],
        };
    }

    /// <summary>What needs a userfaultfd that waits for an answer.</summary>
    private static KernelCapability[] Served(ProbeFault.Result demand, ProbeFault.Result write) =>
    [
        new(KernelCapabilities.PagesOnDemandName, demand.Works, demand.Detail,
            demand.Works ? "" : "A restart is eager: everything is read before the first participant runs."),
        new(KernelCapabilities.PagesOnDemandInSystemCallsName, demand.InSystemCalls, demand.SystemCallsDetail,
            demand.InSystemCalls
                ? ""
                : "After a lazy restart a system call that touches a page not yet there fails with EFAULT."),
        new(KernelCapabilities.CopyOnWriteName, write.Works, write.Detail,
            write.Works ? "" : "Changed pages are copied before the pause and inside it."),
        new(KernelCapabilities.CopyOnWriteInSystemCallsName, write.InSystemCalls, write.SystemCallsDetail,
            write.InSystemCalls
                ? ""
                : "Copy-on-write is not chosen by itself: a system call that writes to an arena would fail " +
                    "with EFAULT."),
    ];

    /// <summary>0 when a userfaultfd of this kind can be opened, else the errno.</summary>
    private static int OpenUserfault(int userModeOnly)
    {
        int fd;
        int errno = Native.sn_uffd_open(userModeOnly, (ulong)UserfaultFeatures.None, &fd);
        if (errno == 0) _ = Native.sn_close(fd);
        return errno;
    }

    private static string DescribeUserfault(int privileged, int userMode)
    {
        string sysctl = ReadText("/proc/sys/vm/unprivileged_userfaultfd") ?? "absent";
        string how = (privileged, userMode) switch
        {
            (0, _) => "privileged",
            (_, 0) => "user-mode only",
            _ => $"cannot be opened: {WriteProtectProbe.Text(userMode)}",
        };
        return $"{how}; vm.unprivileged_userfaultfd={sysctl}; /dev/userfaultfd {DescribeDevice()}";
    }

    private static string DescribeDevice()
    {
        const string device = "/dev/userfaultfd";
        if (!File.Exists(device)) return "absent";
        try
        {
            File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            return "may be opened";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "may not be opened";
        }
    }

    /// <summary>
    /// Asks to sleep while two words hold values of which one is wrong: a kernel that knows the call answers EAGAIN.
    /// </summary>
    private static (bool, string) ProbeFutexWaitv()
    {
        // struct futex_waitv: u64 value, u64 address, u32 flags, u32 reserved; flags 0x82 = 32-bit, private.
        // The values expected are 0 and 1; the word, asked for twice, holds 1.
        uint word = 1;
        ulong* waiters = stackalloc ulong[6];
        for (int index = 0; index < 2; index++)
        {
            waiters[(3 * index) + 0] = (ulong)index;
            waiters[(3 * index) + 1] = (ulong)&word;
            waiters[(3 * index) + 2] = 0x82;
        }

        nint result = ProbeCalls.syscall((nint)ProbeCalls.FutexWaitv, waiters, 2, 0, null, 0);
        int errno = Marshal.GetLastPInvokeError();
        return result == -1 && errno == EAgain
            ? (true, "two words are compared in one call")
            : (false, $"the call answered {result}, {WriteProtectProbe.Text(errno)}");
    }

    /// <summary>Maps over a page in use: the kernel must refuse, and the page must keep its content.</summary>
    private static (bool, string) ProbeFixedNoReplace()
    {
        using ProbeMemory memory = new(1);
        if (!memory.Exists) return (false, "no memory to try it on");
        *memory.Page(0) = 1;
        nint second = ProbeCalls.mmap(
            memory.Address, memory.Bytes, ProbeCalls.ReadWrite, ProbeCalls.PrivateAnonymous | ProbeCalls.FixedNoReplace,
            -1, 0);
        int errno = Marshal.GetLastPInvokeError();
        if (second == ProbeCalls.MapFailed)
        {
            return errno == EExist && *memory.Page(0) == 1
                ? (true, "a taken address was refused")
                : (false, $"a taken address was answered with {WriteProtectProbe.Text(errno)}");
        }

        // A kernel that does not know the flag takes the address as a hint and maps elsewhere.
        if (second != memory.Address) _ = ProbeCalls.munmap(second, memory.Bytes);
        return (false, "a taken address was not refused");
    }

    /// <summary>Names a page and looks for the name in the process map.</summary>
    private static (bool, string) ProbeMappingNames()
    {
        const string name = "snapshot-probe";
        using ProbeMemory memory = new(1);
        if (!memory.Exists) return (false, "no memory to try it on");
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(name);
        int result = ProbeCalls.prctl(
            ProbeCalls.SetVma, ProbeCalls.SetVmaName, (nuint)memory.Address, memory.Bytes, text);
        int errno = Marshal.GetLastPInvokeError();
        Utf8StringMarshaller.Free(text);
        if (result != 0) return (false, $"refused: {WriteProtectProbe.Text(errno)}");
        return (ReadText("/proc/self/maps") ?? "").Contains($"[anon:{name}]", StringComparison.Ordinal)
            ? (true, "a name was set and is shown")
            : (false, "a name was accepted and is not shown");
    }

    /// <summary>The setting in brackets: "always [madvise] never".</summary>
    private static string ReadHugePages()
    {
        string text = ReadText("/sys/kernel/mm/transparent_hugepage/enabled") ?? "";
        int from = text.IndexOf('[', StringComparison.Ordinal);
        int to = text.IndexOf(']', StringComparison.Ordinal);
        return from >= 0 && to > from ? text[(from + 1)..to] : "unavailable";
    }

    private static long ReadMemlock() =>
        ResourceLimit.SoftOf(ReadText("/proc/self/limits") ?? "", ResourceLimit.LockedMemory) ?? -1;

    private static long ReadNumber(string path) =>
        long.TryParse(ReadText(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : -1;

    /// <summary>A file of /proc or /sys without its last newline, or null where it is absent or unreadable.</summary>
    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string DescribeOvercommit(int policy) => policy switch
    {
        0 => "0 (heuristic)",
        1 => "1 (always)",
        2 => "2 (never)",
        _ => "cannot be read",
    };

    private static string DescribeMemlock(long bytes) => bytes switch
    {
        -1 => "cannot be read",
        long.MaxValue => "unlimited",
        _ => $"{Invariant(bytes)} bytes",
    };

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
