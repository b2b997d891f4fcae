using Snapshot.Base;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// How the changed pages of one region are found, and kept as they are at the capture until the image has
/// them.
/// </summary>
/// <remarks>
/// Per checkpoint: <see cref="Prepare"/> any number of times, against writers; <see cref="Collect"/> and
/// <see cref="Hold"/> while nobody writes, without managed allocation; <see cref="Write"/> and
/// <see cref="Append"/>, against writers; then <see cref="LetGo"/>. Used by the checkpoint thread, and by the
/// drain that works for it.
/// </remarks>
internal interface IRegionPages : IDisposable
{
    /// <summary>Tells what changed; owned.</summary>
    public DirtyTracker Tracker { get; }

    /// <summary>
    /// Does what can be done before the pause. Adds what it finds to <paramref name="changed"/>.
    /// </summary>
    /// <param name="changed">Pages that changed since the newest committed image.</param>
    /// <param name="free">Pages that nobody wants: not in use.</param>
    /// <param name="excluded">The same: excluded.</param>
    /// <param name="hashes">Of the contents in the newest committed image.</param>
    /// <param name="parentPages">Pages that image has.</param>
    public void Prepare(
        PageBitmap changed, PageBitmap free, PageBitmap excluded, PageHashes hashes, long parentPages);

    /// <summary>Adds the last pages that changed, and arms tracking again.</summary>
    /// <returns>The pages among which those are that it added.</returns>
    public PageRange Collect(PageBitmap changed);

    /// <summary>The content of these pages, all of which were collected, is wanted as it is now.</summary>
    /// <exception cref="SnapshotException">StagingFull.</exception>
    public void Hold(PageBitmap wanted);

    /// <summary>Writes what has to be in the image before the page stream that refers to it.</summary>
    public void Write(RegionDraft draft);

    /// <summary>Adds wanted pages to the page stream, as their content tells.</summary>
    public void Append(RegionDraft draft, PageRange pages);

    /// <summary>
    /// Adds pages of the parent that did not change, for an image that shall need no parent.
    /// </summary>
    public void AppendInherited(RegionDraft draft, InheritedPages inherited, PageRange pages);

    /// <summary>Nothing is wanted any more.</summary>
    public void LetGo();

    /// <summary>Lets go of everything but the tracker, which is whose it is given to.</summary>
    public DirtyTracker Detach();
}
