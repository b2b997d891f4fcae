using Snapshot.Image;
using Snapshot.Storage;
using Snapshot.Tests.Image;

namespace Snapshot.Tests.Storage;

/// <summary>
/// Writes generations of a changing memory into a store and remembers what each of them must hold.
/// </summary>
internal sealed class StoreScript(int seed, bool inUnits = false, int pagesMax = 12)
{
    private static readonly ImageWriterOptions s_options =
        new() { Encoding = BlockEncoding.Lz4, WriteBytes = 16384, WritesInFlight = 1, EncoderThreads = 1 };

    private readonly MemoryModel _memory = new(seed, regionCount: 2, pagesMax);
    private ImageLink? _last;

    /// <summary>What every generation holds, also of those whose commit was only attempted.</summary>
    internal Dictionary<long, Dictionary<int, byte[]>> Content { get; } = [];

    /// <summary>Generations whose commit returned.</summary>
    internal HashSet<long> Acknowledged { get; } = [];

    internal ImageDraft? LastDraft { get; private set; }

    internal ImageDraft Write(
        SnapshotStore store, bool full, DateTimeOffset? created = null, string? tag = null)
    {
        long generation = (store.Newest?.Generation ?? 0) + 1;
        if (Content.Count > 0) _memory.Mutate();
        Content[generation] = _memory.Content();
        ImageHeader header = new(
            Guid.NewGuid(), generation, full ? null : _last, created ?? DateTimeOffset.UtcNow)
        { Tag = tag };
        ImageDraft draft = LastDraft = store.BeginImage(header, s_options);
        if (inUnits) _memory.WriteInUnits(draft.Writer, full, seed ^ (int)generation);
        else _memory.WriteTo(draft.Writer, full);
        draft.Complete(SampleImage.Metadata);
        return draft;
    }

    internal GenerationInfo Commit(
        SnapshotStore store, bool full, DateTimeOffset? created = null, string? tag = null)
    {
        ImageDraft draft = Write(store, full, created, tag);
        GenerationInfo info = store.Commit(draft);
        _last = new ImageLink(info.ImageId, info.Generation);
        Acknowledged.Add(info.Generation);
        return info;
    }

    /// <summary>
    /// A generation that takes over from the chain what did not change, as a checkpoint does without room.
    /// </summary>
    internal GenerationInfo CommitInheriting(SnapshotStore store)
    {
        _memory.Mutate();
        long generation = store.Newest!.Generation + 1;
        Content[generation] = _memory.Content();
        ImageHeader header = new(Guid.NewGuid(), generation, _last, DateTimeOffset.UtcNow);
        IReadOnlyList<ImageReader> chain = store.OpenChain(_last!.Value.Generation);
        using ChainPages pages = new(chain, chain.Count);
        ImageDraft draft = LastDraft = store.BeginImage(header with { Parent = null }, s_options);
        _memory.WriteInheriting(draft.Writer, pages);
        draft.Complete(SampleImage.Metadata);
        GenerationInfo info = store.Commit(draft);
        _last = new ImageLink(info.ImageId, info.Generation);
        Acknowledged.Add(info.Generation);
        return info;
    }

    /// <summary>Every generation of the store verifies and restores what was committed.</summary>
    internal async Task AssertHolds(SnapshotStore store)
    {
        VerifyReport report = await store.VerifyAsync();
        Xunit.Assert.Empty(report.Problems);
        foreach (GenerationInfo info in store.Generations)
        {
            IReadOnlyList<ImageReader> chain = store.OpenChain(info.Generation);
            MemoryModel.AssertSame(Content[info.Generation], MemoryModel.Restore(chain));
            foreach (ImageReader image in chain) image.Dispose();
        }
    }
}
