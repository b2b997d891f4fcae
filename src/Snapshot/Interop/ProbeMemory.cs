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

    public void Dispose()
    {
        if (Exists) _ = ProbeCalls.munmap(_address, Bytes);
    }
}
