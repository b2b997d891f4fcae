using Snapshot.Image;

namespace Snapshot.Storage;

/// <summary>
/// Keeps the images of a store within their bounds: decides for each checkpoint whether its image needs a
/// parent, and makes room before it is written.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="medium">Where it is.</param>
/// <param name="maintenance">Held while something is pruned or merged.</param>
internal sealed class StoreSpace(SnapshotStore store, IStoreMedium medium, SemaphoreSlim maintenance)
{
    private readonly ImageEstimate _estimate = new();

    /// <summary>
    /// What a further image may take by the store's own quota, or all there is. Inside the gate.
    /// </summary>
    internal long BytesLeft => store.Options.MaxBytes is { } most
        ? most - StoreLimits.ManifestBytes - store.Holdings.ListedBytes - store.Holdings.DraftBytes
        : long.MaxValue;

    /// <summary>
    /// Decides how the image of a checkpoint is written. The caller disposes the answer in the end.
    /// </summary>
    /// <exception cref="SnapshotException">StoreIo, OutcomeUnknown: what is not kept could not be deleted.
    /// Corrupt, ChainBroken: the images that the next one builds upon are damaged.</exception>
    internal NextImage Plan(ImageHeader header, CapturedPages pages, CancellationToken cancellation)
    {
        long increment = IncrementBytes(header.Parent, pages);
        ImageQuestion question = new(header, pages, increment);
        StoreForecast forecast = Forecast(header.Parent);
        long largest = Math.Max(increment, FullOf(header.Parent)?.FileLength ?? 0);
        if (forecast.FitsUnpruned(largest)) return Choose(question, forecast);
        if (IsIncrementBest(question, forecast) && forecast.FitsUnpruned(increment))
            return new NextImage(header, increment, null);

        // What runs now is waited for: pruning takes away what a compaction reads, and a compaction makes
        // room.
        maintenance.Wait(cancellation);
        try
        {
            store.Prune(store.Options.Retention, null);
            NextImage next = Choose(question, Forecast(header.Parent));
            if (Room(header.Parent) >= next.ExpectedBytes) return next;
            next.Dispose();
            new RoomMaker(store).Make(increment, () => Room(header.Parent), cancellation);
            return Choose(question, Forecast(header.Parent));
        }
        finally
        {
            maintenance.Release();
        }
    }

    /// <summary>An image of a checkpoint was written: the next one is foretold from it.</summary>
    internal void Learn(long tracked, long changed, ImageSummary image) =>
        _estimate.Learn(tracked, changed, image);

    /// <summary>Whether the newest generation can be compacted now without exceeding the bounds.</summary>
    internal bool AdmitsCompaction(GenerationInfo newest)
    {
        ManifestEntry? entry =
            store.Holdings.Entries.FirstOrDefault(found => found.Generation == newest.Generation);
        if (entry is null) return false;
        IReadOnlyList<ImageReader> chain = store.OpenChain(entry.Generation);
        using ChainPages pages = new(chain, chain.Count);
        return Forecast(new ImageLink(entry.ImageId, entry.Generation))
            .GoesOnAfterCompaction(entry, entry.FileLength, pages.Stored().Bytes);
    }

    /// <summary>
    /// If there was no room for a checkpoint's image, the failure with what would help; any other as it is.
    /// The file is gone already.
    /// </summary>
    internal SnapshotException Explain(SnapshotException error, NextImage next)
    {
        if (!StoreErrors.IsOutOfRoom(error)) return error;
        long reached = error.Offset ?? 0;
        long needed = next.ExpectedBytes > reached
            ? next.ExpectedBytes
            : reached + ImageWriterOptions.Default.WriteBytes;
        string advice = RoomAdvice.For(needed, Room(next.Header.Parent), store.Holdings, store.Options);
        return new SnapshotException(error.Code, $"{error.Message} {advice}", error)
        {
            Path = error.Path,
            Offset = error.Offset,
            Step = error.Step,
            Errno = error.Errno,
            Generation = next.Header.Generation,
        };
    }

    /// <summary>
    /// Pages that take the place of others take no more than these, as far as one can tell.
    /// </summary>
    private long IncrementBytes(ImageLink? parent, CapturedPages pages)
    {
        long bytes = _estimate.Bytes(pages.Tracked);
        return FullOf(parent) is { } full
            ? Math.Min(bytes, full.FileLength + _estimate.Bytes(pages.Tracked - pages.Overwritten))
            : bytes;
    }

    private NextImage Choose(ImageQuestion question, StoreForecast forecast)
    {
        ImageHeader header = question.Header;
        if (FullOf(header.Parent) is not { } full || IsIncrementBest(question, forecast))
            return new NextImage(header, question.Increment, null);
        long parent = header.Parent!.Value.Generation;
        Lazy<ChainPages> inherited = new(() =>
        {
            IReadOnlyList<ImageReader> chain = store.OpenChain(parent);
            return new ChainPages(chain, chain.Count);
        });
        bool isNearlyAll = IsNearlyAll(question.Increment, full, forecast);
        long bytes = isNearlyAll
            ? Math.Max(question.Increment, full.FileLength)
            : BytesWithInherited(question, full, inherited.Value);
        NextImage without = new(header with { Parent = null }, bytes, inherited);
        if (forecast.Fits(bytes)) return without;

        // Neither is as it should be. What helps out of it comes first, what is merely smaller last.
        bool isIncrement = forecast.FitsMost(question.Increment)
            && (!forecast.FitsMost(bytes) || (!isNearlyAll && forecast.Fits(question.Increment)));
        if (!isIncrement && (isNearlyAll || forecast.FitsMost(bytes))) return without;
        without.Dispose();
        return new NextImage(header, question.Increment, null);
    }

    private bool IsIncrementBest(ImageQuestion question, StoreForecast forecast)
    {
        long increment = question.Increment;
        if (question.Header.Parent is not { } link || FullOf(link) is not { } full) return false;
        if (IsNearlyAll(increment, full, forecast)) return false;
        if (forecast.AsksForMoreThanThereIs(increment, full.FileLength)) return forecast.Fits(increment);
        return forecast.GoesOnAfterIncrement(
            question.Header.Generation, Entry(link)!, increment, full.FileLength);
    }

    /// <summary>Then a chain saves nothing, and two images take what one does.</summary>
    private static bool IsNearlyAll(long increment, ManifestEntry full, StoreForecast forecast) =>
        increment > full.FileLength / 3 * 2 && !forecast.FitsSmallStore(increment);

    /// <summary>Pages that are overwritten take their share of the stored bytes with them.</summary>
    private static long BytesWithInherited(ImageQuestion question, ManifestEntry full, ChainPages inherited)
    {
        (long pages, long bytes) = inherited.Stored();
        double kept = pages == 0 ? 0 : 1 - Math.Min(1, (double)question.Pages.Overwritten / pages);
        long estimate = question.Increment + (long)(bytes * kept);

        // A state that did not grow takes what it took; frames that are counted twice shall not decide.
        return Math.Abs(estimate - full.FileLength) < full.FileLength / 64 ? full.FileLength : estimate;
    }

    private StoreForecast Forecast(ImageLink? parent) =>
        new(store.Holdings, Limits(parent), store.Options.Retention);

    private StoreLimits Limits(ImageLink? parent)
    {
        StoreHoldings now = store.Holdings;
        return StoreLimits.Of(
            store.Options, FullOf(parent)?.FileLength ?? 0, now.ListedBytes, medium.FreeBytes);
    }

    /// <summary>Bytes that an image may take by disk and quota, with what is there now.</summary>
    private long Room(ImageLink? parent)
    {
        StoreHoldings now = store.Holdings;
        return Limits(parent).Most - now.ListedBytes - now.DraftBytes;
    }

    private ManifestEntry? Entry(ImageLink link) =>
        store.Holdings.Entries.FirstOrDefault(entry => entry.Generation == link.Generation);

    private ManifestEntry? FullOf(ImageLink? parent) =>
        parent is { } link && Entry(link) is { } entry
            ? GenerationChain.Known(store.Holdings.Entries, entry)[^1]
            : null;

    private readonly record struct ImageQuestion(ImageHeader Header, CapturedPages Pages, long Increment);
}
