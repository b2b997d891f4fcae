using Snapshot.Interop;

namespace Snapshot.Tracking;

/// <summary>
/// Which pages a scan reports: those with all of one set of categories, none of another, and one at least of
/// a third.
/// </summary>
/// <param name="Require">Categories a page must have.</param>
/// <param name="Forbid">Categories a page must not have.</param>
/// <param name="Any">Categories of which a page must have one; None asks nothing.</param>
internal readonly record struct PageFilter(PageCategories Require, PageCategories Forbid, PageCategories Any)
{
    private const PageCategories Memory = PageCategories.Present | PageCategories.Swapped;

    /// <summary>
    /// Pages whose write-protect bit is clear, and pages that were never populated: the kernel does not tell
    /// these apart here. It has a fast path for exactly this question.
    /// </summary>
    internal static PageFilter Written =>
        new(PageCategories.Written, PageCategories.None, PageCategories.None);

    /// <summary>Populated pages whose write-protect bit is clear. Costs about twice as much a page.</summary>
    internal static PageFilter WrittenAndPopulated =>
        new(PageCategories.Written, PageCategories.None, Memory);

    /// <summary>Pages that are in memory.</summary>
    internal static PageFilter Present =>
        new(PageCategories.Present, PageCategories.None, PageCategories.None);

    /// <summary>Pages that are part of a huge page.</summary>
    internal static PageFilter Huge => new(PageCategories.Huge, PageCategories.None, PageCategories.None);

    /// <summary>Populated pages.</summary>
    internal static PageFilter Populated => new(PageCategories.None, PageCategories.None, Memory);

    /// <summary>Populated pages that were written since the soft-dirty bits were cleared.</summary>
    internal static PageFilter SoftDirty => new(PageCategories.SoftDirty, PageCategories.None, Memory);

    /// <summary>Pages without memory: they read as zero.</summary>
    internal static PageFilter Empty => new(PageCategories.None, Memory, PageCategories.None);
}
