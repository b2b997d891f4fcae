using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Memory;

namespace Snapshot.TestPrograms;

/// <summary>
/// A region without an allocator: reserved whole, committed page by page, dropped on demand.
/// </summary>
internal sealed unsafe partial class TrackedMemory : MemoryRegion, IDisposable
{
    private const int AdviseDontNeed = 4;
    private const int AdviseHugePage = 14;
    private const int AdviseNoHugePage = 15;
    private const int NoAccess = 0;
    private const int ReadWrite = 3;
    private const int PrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;
    private const int Fixed = 0x10;

    private readonly nint _mapping;
    private readonly nuint _mappedBytes;
    private readonly PageBitmap _dropped;
    private long _committed;

    internal TrackedMemory(long capacityPages, long committedPages, bool huge = false)
    {
        CapacityPages = capacityPages;
        _dropped = new PageBitmap(capacityPages);
        _mappedBytes = (nuint)Pages.AlignUp(Pages.Bytes(capacityPages), Pages.HugeSize) + Pages.HugeSize;
        _mapping = mmap(0, _mappedBytes, 0, PrivateAnonymousNoReserve, -1, 0);
        if (_mapping == -1) throw new InvalidOperationException("mmap failed");
        Address = (byte*)Pages.AlignUp(_mapping, Pages.HugeSize);
        IsHuge = huge;

        // Refused by a kernel without huge pages, which has none of either.
        int advice = huge ? AdviseHugePage : AdviseNoHugePage;
        if (MachineCapabilities.Current[Capability.HugePages])
            Check(madvise((nint)Address, (nuint)Pages.Bytes(capacityPages), advice), "madvise");
        Commit(committedPages);
    }

    /// <summary>Whether it may be in huge pages.</summary>
    internal bool IsHuge { get; }

    internal override string RegionName => "tracked";

    internal override byte* Address { get; }

    internal override long CommittedPages => Volatile.Read(ref _committed);

    internal override long CapacityPages { get; }

    internal override void MoveDroppedTo(PageBitmap changed) => _dropped.MoveSharedTo(changed);

    internal Span<byte> Page(long page) => Bytes(new PageRange(page, 1));

    internal Span<byte> Bytes(PageRange pages) =>
        new(Address + Pages.Bytes(pages.Start), (int)Pages.Bytes(pages.Count));

    /// <summary>As arenas grow: what is committed already is left alone.</summary>
    internal void Commit(long pages)
    {
        nint first = (nint)Address + (nint)Pages.Bytes(_committed);
        Check(mprotect(first, (nuint)Pages.Bytes(pages - _committed), ReadWrite), "mprotect");
        Volatile.Write(ref _committed, pages);
    }

    /// <summary>Discards first and reports then, as the contract of a region says.</summary>
    internal void Drop(PageRange pages)
    {
        Frozen?.Secure(pages);
        Check(
            madvise((nint)Address +
                (nint)Pages.Bytes(pages.Start), (nuint)Pages.Bytes(pages.Count), AdviseDontNeed),
            "madvise");
        _dropped.AddShared(pages);
    }

    /// <summary>As an arena does it.</summary>
    internal void OpenForDevices(PageRange pages)
    {
        using Lock.Scope held = Devices.Hold();
        Devices.TryAdd(pages, CapacityPages);
        Frozen?.Open(pages);
    }

    /// <summary>As an arena does it.</summary>
    internal void CloseForDevices(PageRange pages)
    {
        using Lock.Scope held = Devices.Hold();
        Devices.Remove(pages);
        _dropped.AddShared(pages);
    }

    /// <summary>Whether any of the memory is in huge pages now, by /proc/self/smaps.</summary>
    internal bool HasHugePages()
    {
        string start = $"{(nint)Address:x}-";
        string? line = File.ReadLines("/proc/self/smaps")
            .SkipWhile(line => !line.StartsWith(start, StringComparison.Ordinal))
            .FirstOrDefault(line => line.StartsWith("AnonHugePages:", StringComparison.Ordinal));
        return line is not null && !line.EndsWith(" 0 kB", StringComparison.Ordinal);
    }

    /// <summary>Makes a page inaccessible, as the guard of a stack is: a mapping of its own.</summary>
    internal void Guard(long page) => Check(
        mprotect((nint)Address + (nint)Pages.Bytes(page), Pages.Size, NoAccess), "mprotect");

    /// <summary>Puts another mapping in the place of a page, as a stray mmap would.</summary>
    internal void Replace(long page)
    {
        nint address = (nint)Address + (nint)Pages.Bytes(page);
        if (mmap(address, Pages.Size, ReadWrite, PrivateAnonymousNoReserve | Fixed, -1, 0) != address)
            throw new InvalidOperationException("mmap over a page failed");
    }

    public void Dispose()
    {
        Check(munmap(_mapping, _mappedBytes), "munmap");
        _dropped.Dispose();
        Devices.Dispose();
    }

    private static void Check(int result, string step)
    {
        if (result != 0)
            throw new InvalidOperationException($"{step} failed: errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint mmap(
        nint address, nuint bytes, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int munmap(nint address, nuint bytes);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mprotect(nint address, nuint bytes, int protection);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int madvise(nint address, nuint bytes, int advice);
}
