using System.Runtime.InteropServices;

namespace Snapshot.Memory;

/// <summary>What a run of pages is. Part of the image: do not renumber.</summary>
internal enum RunKind : byte
{
    /// <summary>Not the first page of a run.</summary>
    None = 0,

    /// <summary>Free memory; reads as zero.</summary>
    Free = 1,

    /// <summary>
    /// The last page of a free run of two pages or more; holds the run's length so that a neighbour finds its
    /// start.
    /// </summary>
    FreeEnd = 2,

    /// <summary>The arena's own tables.</summary>
    Tables = 3,

    /// <summary>One allocation of whole pages.</summary>
    Large = 4,

    /// <summary>Cells of one size class.</summary>
    Slab = 5,
}

/// <summary>
/// One entry of the page table: 32 bytes for each page, filled for the first page of a run.
/// </summary>
/// <remarks>
/// Three more uses of entries: the last page of a free run (<see cref="RunKind.FreeEnd"/>); pages 1 to 14 of
/// a slab, whose entries are its bitmap (see <see cref="Slabs"/>); all others are zero.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct PageDescriptor
{
    internal const int Bytes = 32;

    [FieldOffset(0)] internal RunKind Kind;

    /// <summary>Of a slab: the size class of its cells.</summary>
    [FieldOffset(1)] internal byte SizeClass;

    /// <summary>1: the memory belongs to the root table and cannot be freed by pointer.</summary>
    [FieldOffset(2)] internal byte IsRoot;

    /// <summary>Pages of the run.</summary>
    [FieldOffset(4)] internal uint PageCount;

    /// <summary>Neighbours in a list of free runs, or of slabs with room; 0: none.</summary>
    [FieldOffset(8)] internal uint Previous;

    [FieldOffset(12)] internal uint Next;

    /// <summary>
    /// Bytes of an element where all memory of the run was allocated with one type; else 0.
    /// </summary>
    [FieldOffset(16)] internal uint ElementSize;

    /// <summary>Of a slab: cells in use.</summary>
    [FieldOffset(20)] internal uint UsedCells;
}

/// <summary>One entry of the directory: 64 MiB of the arena.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct ChunkEntry
{
    internal const int Bytes = 32;

    /// <summary>Offset of the chunk's page tables from the arena's base; 0: none yet.</summary>
    [FieldOffset(0)] internal long TablesOffset;

    /// <summary>
    /// The live run that began in an earlier chunk and holds the first page of this one; else any older
    /// value.
    /// </summary>
    [FieldOffset(8)] internal long CoveringRun;

    /// <summary>The number of excluded pages in the chunk.</summary>
    [FieldOffset(16)] internal long ExcludedPages;
}
