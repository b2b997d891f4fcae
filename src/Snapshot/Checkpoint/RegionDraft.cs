using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Checkpoint;

/// <summary>The part of an image that one region is.</summary>
/// <param name="Writer">The image.</param>
/// <param name="Changed">Pages that are not as in the parent, those that nobody wants among them.</param>
/// <param name="Wanted">Those that are wanted.</param>
/// <param name="Judge">Tells what a page is to the image.</param>
/// <param name="Tally">Counts what was looked at.</param>
/// <param name="Inherited">
/// Where the image takes over what did not change; null: it refers to its parent.
/// </param>
/// <param name="Cancellation">Looked at often.</param>
internal sealed record RegionDraft(
    ImageWriter Writer, PageBitmap Changed, PageBitmap Wanted, PageJudge Judge, PageTally Tally,
    InheritedPages? Inherited, CancellationToken Cancellation);
