using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using Snapshot.Base;

namespace Snapshot.Interop;

/// <summary>What can be asked of mappings, each tried on fresh memory.</summary>
internal static unsafe class MappingProbe
{

    /// <summary>
    /// Maps over a page in use: the kernel must refuse, and the page must keep its content.
    /// </summary>
    internal static Finding FixedNoReplace()
    {
        using ProbeMemory memory = new(1);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        *memory.Page(0) = 1;
        nint second = ProbeCalls.mmap(
            memory.Address, memory.Bytes, ProbeCalls.ReadWrite,
            ProbeCalls.PrivateAnonymous | ProbeCalls.FixedNoReplace,
            -1, 0);
        int errno = Marshal.GetLastPInvokeError();
        if (second == ProbeCalls.MapFailed)
        {
            return errno == Errno.Exists && *memory.Page(0) == 1
                ? new Finding(true, "a taken address was refused")
                : Finding.No("a taken address was answered", errno);
        }

        // A kernel that does not know the flag takes the address as a hint and maps elsewhere.
        if (second != memory.Address) _ = ProbeCalls.munmap(second, memory.Bytes);
        return Finding.No("a taken address was not refused");
    }

    /// <summary>Names a page and looks for the name in the process map.</summary>
    internal static Finding Names()
    {
        const string name = "snapshot-probe";
        using ProbeMemory memory = new(1);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        byte* text = Utf8StringMarshaller.ConvertToUnmanaged(name);
        int errno = Native.sn_memory_name((ulong)memory.Address, memory.Bytes, text);
        Utf8StringMarshaller.Free(text);
        if (errno != 0) return Finding.No("refused", errno);
        return (SystemFile.Text("/proc/self/maps") ?? "").Contains($"[anon:{name}]", StringComparison.Ordinal)
            ? new Finding(true, "a name was set and is shown")
            : Finding.No("a name was accepted and is not shown");
    }

    /// <summary>Faults two pages in and looks whether they have memory.</summary>
    internal static Finding Populate()
    {
        using ProbeMemory memory = new(2);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        int errno = Native.sn_memory_populate((ulong)memory.Address, memory.Bytes);
        if (errno != 0) return Finding.No("refused", errno);
        byte* resident = stackalloc byte[2];
        return ProbeCalls.mincore(memory.Address, memory.Bytes, resident) == 0 &&
            (resident[0] & resident[1] & 1) == 1
            ? new Finding(true, "two pages were faulted in by one call")
            : Finding.No("two pages were to be faulted in by one call, and were not");
    }

    /// <summary>Makes a huge page of one small one; its content must stay.</summary>
    internal static Finding Collapse()
    {
        using ProbeMemory memory = new(2 * Pages.HugeSize / Environment.SystemPageSize);
        if (!memory.Exists) return Finding.No("no memory to try it on");
        byte* block = (byte*)Pages.AlignUp(memory.Address, Pages.HugeSize);
        *block = 1;
        int errno = Native.sn_memory_collapse((ulong)block, Pages.HugeSize);
        if (*block != 1) return Finding.No("it changed what was in the memory");
        return errno switch
        {
            0 => new Finding(true, "a huge page was made of a small one"),
            Errno.Invalid => Finding.No("refused", errno),
            Errno.NotPermitted or Errno.NotImplemented => Finding.No("forbidden", errno), // By a filter.
            _ => new Finding(true, $"known, and no huge page was free now: {Finding.Text(errno)}"),
        };
    }
}
