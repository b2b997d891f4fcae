using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>The images of a store that are being written, and how they become generations.</summary>
/// <param name="medium">Where they are written.</param>
/// <param name="manifest">What is committed.</param>
/// <param name="gate">The store's: guards the manifest and the list of drafts; never held while an image is
/// written.
/// </param>
/// <param name="direct">Whether they bypass the page cache.</param>
/// <param name="bytesLeft">What a further image may take; called inside the gate.</param>
internal sealed class StoreDrafts(
    IStoreMedium medium, Manifest manifest, Lock gate, bool direct, Func<long> bytesLeft)
{
    private readonly List<StoreDraft> _drafts = [];

    /// <summary>What images being written need. Called inside the gate.</summary>
    internal IEnumerable<long> Parents => _drafts.Select(draft => draft.Parent)
        .OfType<ImageLink>().Select(parent => parent.Generation);

    /// <summary>What they are expected to take in the end. Called inside the gate.</summary>
    internal long ExpectedBytes => _drafts.Sum(draft => draft.ExpectedBytes);

    /// <summary>Starts a file that nobody sees before it is committed.</summary>
    internal ImageDraft Begin(
        ImageHeader header, int revision, ImageWriterOptions? options, CancellationToken cancellation) =>
        Begin(
            header.Generation, revision,
            (file, _) => new ImageDraft(file, header, revision, options, bytesLeft(), cancellation));

    /// <param name="generation">Of the image.</param>
    /// <param name="revision">Of the image.</param>
    /// <param name="make">Makes the draft, of the file and its name.</param>
    internal T Begin<T>(long generation, int revision, Func<IStoreFile, string, T> make)
        where T : StoreDraft
    {
        string name = ImageFileName.Of(generation, revision);
        string partial = name + ImageFileName.PartialSuffix;
        lock (gate)
        {
            if (_drafts.Any(draft => draft.FileName == name))
                throw new InvalidOperationException($"{name} is being written already");
            manifest.ThrowIfLost();
            IStoreFile file = medium.Create(partial, direct);
            try
            {
                T draft = make(file, partial);
                _drafts.Add(draft);
                return draft;
            }
            catch
            {
                file.Dispose();
                DeleteAfterFailure(partial);
                throw;
            }
        }
    }

    /// <summary>
    /// The commit: image, directory, manifest, each durable before the next; the name at last. When it
    /// throws, the draft is gone, except with OutcomeUnknown.
    /// </summary>
    /// <param name="draft">Complete.</param>
    /// <param name="list">Puts the entry into the manifest; called inside the gate.</param>
    internal GenerationInfo Publish(StoreDraft draft, Action<ManifestEntry> list)
    {
        ManifestEntry entry = draft.Entry
            ?? throw new InvalidOperationException("an image must be complete to be committed");
        try
        {
            draft.Sync();
            if (!draft.End())
                throw new InvalidOperationException("the draft was committed or abandoned before");
            medium.SyncDirectory();
            lock (gate)
            {
                list(entry);
                _drafts.Remove(draft);
            }
        }
        catch (SnapshotException error)
        {
            lock (gate) _drafts.Remove(draft);
            draft.End();
            // With an unknown outcome the manifest may list the file already; where another writer came, a
            // file of that name may be that one's.
            bool mayBeNeeded = error.Code is SnapshotErrorCode.OutcomeUnknown or SnapshotErrorCode.StoreBusy;
            if (!mayBeNeeded) DeleteAfterFailure(draft.PartialName);
            throw;
        }

        try
        {
            medium.Rename(draft.PartialName, draft.FileName);
        }
        catch (SnapshotException)
        {
            // The generation is committed whatever its file is called, and must not be taken for a failed
            // one: it is found by its old name, and whoever opens the store next gives it the new one.
        }

        return entry.ToInfo();
    }

    /// <summary>
    /// Drops a draft and its file. Nothing happens to a draft that was committed or abandoned before.
    /// </summary>
    internal void Abandon(StoreDraft draft)
    {
        lock (gate) _drafts.Remove(draft);
        if (draft.End()) DeleteAfterFailure(draft.PartialName);
    }

    internal void AbandonAll()
    {
        StoreDraft[] drafts;
        lock (gate) drafts = [.. _drafts];
        foreach (StoreDraft draft in drafts) Abandon(draft);
    }

    /// <summary>
    /// Deletes the file of an entry that the manifest calls retired, under whichever name its commit left it.
    /// </summary>
    internal void DeleteRetired(ManifestEntry entry)
    {
        medium.Delete(entry.FileName);
        medium.Delete(entry.FileName + ImageFileName.PartialSuffix);
        lock (gate) manifest.Forget(entry);
    }

    /// <summary>
    /// A failure to delete what is not visible undoes nothing, and must not hide the failure that led here:
    /// the next writer deletes the file.
    /// </summary>
    private void DeleteAfterFailure(string name)
    {
        try
        {
            manifest.ThrowIfLost();
            medium.Delete(name);
        }
        catch (SnapshotException)
        {
        }
    }
}
