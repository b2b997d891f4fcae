using System.IO.Hashing;
using Snapshot.Image;
using Snapshot.Storage;
using Snapshot.Tests.Image;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>What a program calls a generation is listed with it, whatever happens to the store.</summary>
public sealed class TagTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-tags-").FullName;
    private readonly StoreScript _script = new(3);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string ManifestPath => Path.Combine(_directory, Manifest.FileName);

    [Fact]
    public async Task A_tag_is_listed_without_its_image_and_described_with_it()
    {
        CommitThree();
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_directory);
        Assert.Equal(["heat 1", null, "heat 2"], Tags(store));
        Assert.Equal("heat 2", store.Describe(3).Info.Tag);
        Assert.True((await store.VerifyAsync()).IsIntact);
        foreach (GenerationInfo info in store.Generations)
            File.Delete(Path.Combine(_directory, info.FileName));
        using SnapshotStore again = SnapshotStore.OpenReadOnly(_directory);
        Assert.Equal(["heat 1", null, "heat 2"], Tags(again));
    }

    [Fact]
    public async Task Compaction_keeps_the_tag_in_the_manifest_and_in_the_image()
    {
        CommitThree();
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            GenerationInfo compacted = await store.CompactAsync(3);
            Assert.Equal((GenerationKind.Full, "heat 2"), (compacted.Kind, compacted.Tag));
            await store.PruneAsync(new RetentionPolicy { KeepLast = 1 });
            Assert.Equal(["heat 2"], Tags(store));
            IReadOnlyList<ImageReader> chain = store.OpenChain(3);
            using ImageReader image = Assert.Single(chain);
            Assert.Equal("heat 2", image.Header.Tag);
        }

        using SnapshotStore again = SnapshotStore.Open(_directory);
        Assert.Equal(["heat 2"], Tags(again));
    }

    [Fact]
    public void A_recovery_takes_the_tags_from_the_images()
    {
        CommitThree();
        File.Delete(ManifestPath);
        SnapshotStore.Recover(_directory);
        using SnapshotStore store = SnapshotStore.OpenReadOnly(_directory);
        Assert.Equal(["heat 1", null, "heat 2"], Tags(store));
    }

    [Fact]
    public void The_newest_with_a_tag_is_found_and_a_tag_that_none_has_is_refused_with_those_there_are()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        Assert.Contains(
            "none of its generations has a tag",
            Assert.Throws<SnapshotException>(() => store.FindTagged("a")).Message, StringComparison.Ordinal);
        foreach (string tag in new[] { "a", "b", "a" }) _script.Commit(store, full: true, tag: tag);
        Assert.Equal(3, store.FindTagged("a").Generation);
        SnapshotException error = Assert.Throws<SnapshotException>(() => store.FindTagged("A"));
        Assert.Equal(SnapshotErrorCode.NotFound, error.Code);
        Assert.EndsWith("with the tag 'A'; it has, from the newest: 'a', 'b'.", error.Message);
    }

    [Fact]
    public void Of_many_tags_an_error_names_the_newest_twenty()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        for (int version = 1; version <= 23; version++) _script.Commit(store, full: true, tag: $"v{version}");
        string message = Assert.Throws<SnapshotException>(() => store.FindTagged("v0")).Message;
        Assert.Contains("'v23', 'v22'", message, StringComparison.Ordinal);
        Assert.EndsWith("'v4', and 3 more.", message);
    }

    [Fact]
    public void What_was_passed_over_is_found_by_its_tag_only_where_nothing_else_has_it()
    {
        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            _script.Commit(store, full: true, tag: "a");
            _script.Commit(store, full: true, tag: "a");
            _script.Commit(store, full: true, tag: "b");
        }

        using (SnapshotStore store = SnapshotStore.Open(_directory))
        {
            store.Continue(1);
            _script.Commit(store, full: true, tag: "c");
            Assert.Equal([false, true, true, false], store.Generations.Select(info => info.IsPassedOver));
            Assert.Equal(1, store.FindTagged("a").Generation);
            Assert.Equal(3, store.FindTagged("b").Generation);
        }
    }

    /// <summary>A library that knows no tags refuses version 3, and so cannot write a list without them.</summary>
    [Fact]
    public async Task The_manifest_has_version_3_as_long_as_a_generation_has_a_tag()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        Assert.Equal([2], Majors());
        _script.Commit(store, full: true);
        Assert.Equal([2, 2], Majors());
        _script.Commit(store, full: true, tag: "a");
        Assert.Equal([2, 3], Majors());
        _script.Commit(store, full: true);
        _script.Commit(store, full: true);
        await store.PruneAsync(new RetentionPolicy());
        Assert.Equal([3, 3], Majors().Order());
        _script.Commit(store, full: true);
        _script.Commit(store, full: true);
        Assert.Equal([2, 2], Majors());
        await _script.AssertHolds(store);
    }

    [Fact]
    public void Tags_that_do_not_fit_the_manifest_are_refused_before_the_image_is_written()
    {
        // 255 bytes and 96 of the entry: 746 of them are 261,846 bytes of the 262,080 there are.
        string tag = new('x', RecordedTagBytes);
        ManifestEntry entry = new(Guid.NewGuid(), 1, null, 8192, 1, DateTimeOffset.UnixEpoch, 0) { Tag = tag };
        ManifestState full = new(
            2, [.. Enumerable.Range(1, 746).Select(generation => entry with { Generation = generation })]);
        CrashMedium medium = new();
        SnapshotStore.Open(medium, new StoreOptions()).Dispose();
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(full, half);
        using (IStoreFile file = medium.OpenForUpdate(Manifest.FileName))
        {
            file.Write(half, (long)full.Half * ManifestHalf.HalfBytes);
            file.Sync();
        }

        using SnapshotStore store = SnapshotStore.Open(medium, new StoreOptions());
        Assert.Equal(746, store.Generations.Count(info => info.Tag == tag));
        SnapshotException error = Assert.Throws<SnapshotException>(() => Begin(store, tag));
        Assert.Equal(SnapshotErrorCode.LimitReached, error.Code);
        Assert.Contains("long tags", error.Message, StringComparison.Ordinal);
        store.Abandon(Begin(store, new string('x', 262_080 - 261_846 - 96)));
        Assert.Throws<SnapshotException>(() => Begin(store, new string('x', 262_080 - 261_846 - 95)));
    }

    [Theory]
    [InlineData(32, 3)] // fewer bytes of tags than the entries have
    [InlineData(32, 5)]
    [InlineData(32, -1)]
    [InlineData(32, int.MaxValue)]
    public void A_half_whose_tags_are_not_as_long_as_its_entries_say_is_not_valid(int at, int value) =>
        AssertInvalid(half => BitConverter.TryWriteBytes(half.AsSpan(at), value));

    [Theory]
    [InlineData((byte)'\n')]
    [InlineData(0xFF)]
    public void A_half_with_a_tag_that_is_none_is_not_valid(byte value) =>
        AssertInvalid(half => half[64 + 96 + 1] = value);

    [Fact]
    public void A_half_whose_tags_have_changed_is_not_valid() =>
        AssertInvalid(half => half[64 + 96]++, mended: false);

    /// <summary>As a half of version 2 whose reserved bytes a later writer used.</summary>
    [Fact]
    public void In_version_2_the_fields_of_tags_have_no_meaning()
    {
        byte[] half = Encoded(out ManifestState state);
        half[8] = 2;
        Fuzz.Forging.ManifestSeal.Mend(half);
        Assert.Null(Assert.Single(ManifestHalf.Decode(half, state.Half, "manifest")!.Entries).Tag);
    }

    [Theory]
    [InlineData(84, 0xFF)] // 255 bytes, and most of them zero
    [InlineData(85, 1)]
    [InlineData(86, (byte)'\n')]
    [InlineData(86, 0xFF)]
    public void A_header_with_a_tag_that_is_none_is_damaged(int at, byte value)
    {
        byte[] page = HeaderPages.MakeHeader(SampleImage.FullHeader);
        page[at] = value;
        XxHash3.Hash(page.AsSpan(0, 4088)).AsSpan().CopyTo(page.AsSpan(4088));
        page.AsSpan(4088).Reverse();
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => HeaderPages.ReadHeader(page, "image", out _));
        Assert.Equal((SnapshotErrorCode.Corrupt, 84L), (error.Code, error.Offset));
    }

    private static void AssertInvalid(Action<byte[]> change, bool mended = true)
    {
        byte[] half = Encoded(out ManifestState state);
        Assert.Equal("tags", Assert.Single(ManifestHalf.Decode(half, state.Half, "manifest")!.Entries).Tag);
        change(half);
        if (mended) Fuzz.Forging.ManifestSeal.Mend(half);
        Assert.Null(ManifestHalf.Decode(half, state.Half, "manifest"));
    }

    private const int RecordedTagBytes = 255;

    private static byte[] Encoded(out ManifestState state)
    {
        ManifestEntry entry = new(Guid.NewGuid(), 5, null, 8192, 1, DateTimeOffset.UnixEpoch, 0);
        state = new ManifestState(3, [entry with { Tag = "tags" }]);
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(state, half);
        return half;
    }

    private static ImageDraft Begin(SnapshotStore store, string tag) => store.BeginImage(
        new ImageHeader(Guid.NewGuid(), store.NextGeneration, null, DateTimeOffset.UtcNow) { Tag = tag });

    private void CommitThree()
    {
        using SnapshotStore store = SnapshotStore.Open(_directory);
        _script.Commit(store, full: true, tag: "heat 1");
        _script.Commit(store, full: false);
        Assert.Equal("heat 2", _script.Commit(store, full: false, tag: "heat 2").Tag);
    }

    private static IEnumerable<string?> Tags(SnapshotStore store) =>
        store.Generations.Select(info => info.Tag);

    /// <summary>The versions of the halves that are in use, the older half first.</summary>
    private int[] Majors()
    {
        byte[] manifest = File.ReadAllBytes(ManifestPath);
        return [.. new[] { 0, ManifestHalf.HalfBytes }
            .Where(half => manifest[half] != 0)
            .OrderBy(half => BitConverter.ToInt64(manifest, half + 16))
            .Select(half => (int)manifest[half + 8])];
    }
}
