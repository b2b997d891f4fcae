namespace Snapshot.Interop;

/// <summary>A few fresh pages to try things on; unmapped when disposed.</summary>
internal readonly unsafe ref struct ProbeMemory
{
    private readonly nint _address;
    private readonly int _pageSize;
    private readonly int _pages;

    internal ProbeMemory(int pages)
    {
        _pageSize = Environment.SystemPageSize;
        _pages = pages;
        _address = ProbeCalls.mmap(0, Bytes, ProbeCalls.ReadWrite, ProbeCalls.PrivateAnonymous, -1, 0);
    }

    /// <summary>False when not even this much memory could be mapped.</summary>
    internal bool Exists => _address != ProbeCalls.MapFailed;

    internal nint Address => _address;

    internal nuint Bytes => (nuint)(_pages * _pageSize);

    internal byte* Page(int index) => (byte*)_address + (index * _pageSize);

    /// <summary>The page that holds an address.</summary>
    internal int IndexOf(ulong address) => (int)((address - (ulong)_address) / (ulong)_pageSize);

    /// <summary>The pages of a category that the kernel names, as text; or why it named none.</summary>
    internal string Seen(
        PagemapDescriptor pagemap, PageCategories require, ScanMode mode,
        PageCategories forbid = PageCategories.None)
    {
        PageRegion* runs = stackalloc PageRegion[_pages];
        ulong count, walked;
        int errno = Native.sn_pagemap_scan(
            pagemap.Number, (ulong)Address, (ulong)Address + Bytes, (ulong)require, (ulong)forbid, 0,
            (int)mode, runs, (ulong)_pages, &count, &walked);
        if (errno != 0) return $"the scan failed: {Finding.Text(errno)}";

        List<int> pages = [];
        for (ulong run = 0; run < count; run++)
        {
            for (int page = IndexOf(runs[run].Start); page < IndexOf(runs[run].End); page++) pages.Add(page);
        }

        return pages.Count == 0 ? "nothing" : string.Join(' ', pages);
    }

    /// <summary>Compares what was named with what should have been.</summary>
    internal static Finding Verdict(string what, string expected, string seen) => seen == expected
        ? new Finding(true, $"{what}, and the kernel named it")
        : Finding.No($"{what}; the kernel should have named [{expected}] and named [{seen}]");

    public void Dispose()
    {
        if (Exists) _ = ProbeCalls.munmap(_address, Bytes);
    }
}
