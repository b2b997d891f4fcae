using System.Runtime.InteropServices;

namespace Snapshot.Memory;

/// <summary>The first page of an arena: what it is, and where the rest of its state begins.</summary>
/// <remarks>
/// Everything the allocator knows is in the arena, so it is in the image and comes back with it:
/// <code>
/// page 0           this header
/// page 1 ...       directory: one ChunkEntry for each 64 MiB of capacity
/// then page tables of the first chunk (see PageTable); those of later chunks lie where the arena grew then
/// runs of pages: free, large allocations, slabs with cells for small ones, further page tables
/// </code>
/// The layout is part of the image: a change needs a new <see cref="CurrentVersion"/>. Offsets are pinned by
/// a test. Pages are numbered from the arena's base; as page 0 is this header, 0 means "none" in every list.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct ArenaHeader
{
    internal const int Bytes = 4096;

    /// <summary>"SNAPAREN" in memory order.</summary>
    internal const ulong ExpectedMagic = 0x4E45_5241_5041_4E53;

    internal const uint CurrentVersion = 1;

    /// <summary>Lists of free runs, by size; <see cref="RunBins"/> uses 119 of them.</summary>
    internal const int FreeListCount = 128;

    /// <summary>
    /// Lists of slabs with room: <see cref="SizeClasses.Count"/> for users' allocations, as many for roots.
    /// </summary>
    internal const int SlabListCount = 64;

    [FieldOffset(0)] internal ulong Magic;
    [FieldOffset(8)] internal uint FormatVersion;
    [FieldOffset(12)] internal uint HeaderBytes;

    /// <summary>The address of this header: pointers in the arena are valid only if it lies there.</summary>
    [FieldOffset(16)] internal ulong Base;

    [FieldOffset(24)] internal long CapacityPages;
    [FieldOffset(32)] internal long CommittedPages;

    /// <summary>Chunks that have page tables; at least those that hold committed pages.</summary>
    [FieldOffset(40)] internal long ChunkCount;

    [FieldOffset(48)] internal long FreePages;

    /// <summary>Bytes of live allocations and roots, each rounded up to its size class or to pages.</summary>
    [FieldOffset(56)] internal long AllocatedBytes;

    /// <summary>
    /// Offset of the first <see cref="RootEntry"/>, or 0; they are linked in order of creation.
    /// </summary>
    [FieldOffset(64)] internal long FirstRoot;

    [FieldOffset(72)] internal long RootCount;

    /// <summary>Bit i: <see cref="FreeLists"/>[i] is not empty.</summary>
    [FieldOffset(128)] internal fixed ulong FreeListMask[FreeListCount / 64];

    /// <summary>First page of the first run of each list.</summary>
    [FieldOffset(256)] internal fixed uint FreeLists[FreeListCount];

    /// <summary>First page of the first slab of each list.</summary>
    [FieldOffset(1024)] internal fixed uint SlabLists[SlabListCount];
}
