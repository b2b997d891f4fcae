using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>
/// A live allocation: where it lies, from the arena's base, and what run of pages holds it.
/// </summary>
/// <param name="Offset">Of the first byte.</param>
/// <param name="Bytes">Its size, at least what was asked for.</param>
/// <param name="Run">The whole run for a large allocation, the slab for a small one.</param>
/// <param name="Index">Its number in the slab, or -1 for a large allocation.</param>
/// <param name="IsRoot">Whether it belongs to the root table.</param>
internal readonly record struct Allocation(long Offset, long Bytes, PageRange Run, int Index, bool IsRoot)
{
    /// <summary>The pages that hold nothing but bytes of [offset, offset + bytes).</summary>
    internal static PageRange WholePages(long offset, long bytes)
    {
        long first = Pages.Holding(offset);
        return new PageRange(first, Math.Max((offset + bytes >> Pages.Shift) - first, 0));
    }
}
