using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>Memory outside of any session, in huge pages where the kernel gives them.</summary>
internal sealed unsafe partial class HugeMemory : IDisposable
{
    internal const int HugePage = 2 << 20;

    private const int AdviseHugePage = 14;

    internal HugeMemory(long bytes)
    {
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, HugePage);

        // Advice: where there are no huge pages, the memory is as good, only slower.
        _ = madvise(Pointer, (nuint)bytes, AdviseHugePage);
    }

    internal byte* Pointer { get; }

    public void Dispose() => NativeMemory.AlignedFree(Pointer);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int madvise(void* address, nuint bytes, int advice);
}
