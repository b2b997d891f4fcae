using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Checkpoint;

/// <summary>
/// The pages of one region that did not change, for an image that shall need no parent: their content comes
/// from the chain, for memory may be written by now.
/// </summary>
/// <param name="chain">The state of the parent; opened with the first page.</param>
/// <param name="region">The id of the region.</param>
/// <param name="parentPages">Pages of it that the parent has.</param>
internal sealed class InheritedPages(Lazy<ChainPages> chain, int region, long parentPages)
{
    private ChainRegion? _runs;

    /// <summary>Adds pages to the page stream.</summary>
    internal void Append(ImageWriter writer, PageRange pages, CancellationToken cancellation)
    {
        foreach (ChainRun run in RunsOf(pages))
        {
            cancellation.ThrowIfCancellationRequested();
            chain.Value.Append(writer, run);
        }
    }

    /// <summary>
    /// The same where some spans are units: what these have of the pages was written with them.
    /// </summary>
    /// <param name="writer">The image.</param>
    /// <param name="pages">Which.</param>
    /// <param name="spanOf">The span of a page.</param>
    /// <param name="firstOf">The first page of a span.</param>
    /// <param name="units">The number of a span's unit.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal void AppendBeside(
        ImageWriter writer, PageRange pages, Func<long, long> spanOf, Func<long, long> firstOf,
        IReadOnlyDictionary<long, int> units, CancellationToken cancellation)
    {
        foreach (ChainRun run in RunsOf(pages))
        {
            cancellation.ThrowIfCancellationRequested();
            if (run.Kind != ExtentKind.Present) chain.Value.Append(writer, run);
            else AppendBeside(writer, run, spanOf, firstOf, units);
        }
    }

    /// <summary>Writes what pages hold, zeros apart, to the open unit.</summary>
    internal void WriteContent(ImageWriter writer, PageRange pages)
    {
        foreach (ChainRun run in RunsOf(pages))
        {
            if (run.Kind == ExtentKind.Present) chain.Value.CopyContent(writer, run);
        }
    }

    private void AppendBeside(
        ImageWriter writer, ChainRun run, Func<long, long> spanOf, Func<long, long> firstOf,
        IReadOnlyDictionary<long, int> units)
    {
        long end = run.FirstPage + run.PageCount;
        for (long at = run.FirstPage, next; at < end; at = next)
        {
            long span = spanOf(at);
            next = Math.Min(end, firstOf(span + 1));
            if (units.TryGetValue(span, out int unit))
            {
                writer.AppendUnit(unit, next - at);
                continue;
            }

            long ordinal = run.FirstOrdinal + (at - run.FirstPage);
            chain.Value.CopyContent(
                writer, run with { FirstPage = at, PageCount = next - at, FirstOrdinal = ordinal });
        }
    }

    private IEnumerable<ChainRun> RunsOf(PageRange pages)
    {
        long count = Math.Min(pages.End, parentPages) - pages.Start;
        if (count <= 0) return [];
        _runs ??= chain.Value.Region(region);
        return _runs.Within(pages with { Count = count });
    }
}
