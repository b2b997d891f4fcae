using Snapshot.Image;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>Images that go from store to store as files.</summary>
public sealed class StoreCopyTests
{
    [Fact]
    public async Task A_copied_chain_is_the_same_byte_for_byte_with_numbers_ids_and_tags()
    {
        CrashMedium from = new(), to = new();
        StoreScript script = new(seed: 1);
        using SnapshotStore store = SnapshotStore.Open(from, new StoreOptions());
        script.Commit(store, full: true);
        script.Commit(store, full: false, tag: "half");
        script.Commit(store, full: false);
        using SnapshotStore copy = SnapshotStore.Open(to, new StoreOptions());
        CopyAll(store, copy);

        await script.AssertHolds(copy);
        Assert.Equal(store.Images, copy.Images);
        Assert.Equal([null, "half", null], copy.Generations.Select(info => info.Tag));
        foreach (GenerationInfo info in store.Generations)
            Assert.Equal(Bytes(from, info.FileName), Bytes(to, info.FileName));
    }

    [Fact]
    public async Task A_chain_goes_on_from_copies_and_what_is_younger_than_asked_is_dropped()
    {
        CrashMedium medium = new();
        StoreScript script = new(seed: 2);
        using SnapshotStore store = SnapshotStore.Open(new CrashMedium(), new StoreOptions());
        script.Commit(store, full: true);
        using SnapshotStore copy = SnapshotStore.Open(medium, new StoreOptions());
        CopyAll(store, copy);
        script.Commit(store, full: false);
        await store.CompactAsync(2);
        script.Commit(store, full: false);
        CopyAll(store, copy);
        await script.AssertHolds(copy);
        Assert.Equal([1L, 2, 3], copy.Images.Select(image => image.Generation));
        Assert.Equal(1, copy.Images[1].Revision);

        copy.DropAbove(1);
        Assert.Equal([1L], copy.Images.Select(image => image.Generation));
        CopyAll(store, copy);
        await script.AssertHolds(copy);
        Assert.Equal([1L, 2, 3], copy.Images.Select(image => image.Generation));
    }

    [Fact]
    public void What_is_not_the_image_it_was_said_to_be_is_not_committed()
    {
        CrashMedium medium = new();
        StoreScript script = new(seed: 3);
        using SnapshotStore store = SnapshotStore.Open(new CrashMedium(), new StoreOptions());
        script.Commit(store, full: true);
        script.Commit(store, full: true);
        using SnapshotStore copy = SnapshotStore.Open(medium, new StoreOptions());
        IReadOnlyList<ImageFile> first = store.OpenFiles(1), second = store.OpenFiles(2);
        ImageCopy draft = copy.BeginCopy(first[0].Image);
        Write(second[0], draft);
        Assert.Equal(SnapshotErrorCode.Corrupt, Assert.Throws<SnapshotException>(draft.Complete).Code);
        Assert.Throws<InvalidOperationException>(() => copy.CommitCopy(draft));
        copy.AbandonCopy(draft);
        Assert.Empty(copy.Generations);
        Assert.DoesNotContain(medium.Names, ImageFileName.IsPartialImage);
    }

    [Fact]
    public void A_copy_needs_its_parent_and_its_place_in_the_order()
    {
        StoreScript script = new(seed: 4);
        using SnapshotStore store = SnapshotStore.Open(new CrashMedium(), new StoreOptions());
        script.Commit(store, full: true);
        script.Commit(store, full: false);
        using SnapshotStore copy = SnapshotStore.Open(new CrashMedium(), new StoreOptions());
        Assert.Equal(
            SnapshotErrorCode.ChainBroken,
            Assert.Throws<SnapshotException>(() => copy.BeginCopy(store.Images[1])).Code);
        CopyAll(store, copy);
        Assert.Throws<ArgumentOutOfRangeException>(() => copy.BeginCopy(store.Images[0]));
    }

    /// <summary>The power goes out at each operation of a copy: the store has it, or does not.</summary>
    [Fact]
    public async Task A_crash_leaves_an_image_whole_or_not_at_all()
    {
        StoreScript script = new(seed: 5);
        using SnapshotStore store = SnapshotStore.Open(new CrashMedium(), new StoreOptions());
        script.Commit(store, full: true);
        script.Commit(store, full: false);
        bool crashed = true;
        int had = 0;
        for (int at = 1; crashed; at++)
        {
            CrashMedium medium = new() { CrashAt = at };
            crashed = Crashes(store, medium);
            using SnapshotStore after =
                SnapshotStore.Open(medium.AfterCrash(new Random(at)), new StoreOptions());
            await script.AssertHolds(after);
            had = Math.Max(had, after.Generations.Count);
            CopyAll(store, after);
            await script.AssertHolds(after);
            Assert.Equal(store.Images, after.Images);
        }

        Assert.Equal(2, had);
    }

    private static bool Crashes(SnapshotStore store, CrashMedium medium)
    {
        try
        {
            CopyAll(store, SnapshotStore.Open(medium, new StoreOptions()));
            return false;
        }
        catch (SimulatedCrashException)
        {
            return true;
        }
    }

    /// <summary>All that the other lacks of the newest generation.</summary>
    private static void CopyAll(SnapshotStore store, SnapshotStore copy)
    {
        foreach (ImageFile file in store.OpenFiles(store.Newest!.Generation))
        {
            using (file)
            {
                if (copy.Images.Any(image => image.ImageId == file.Image.ImageId)) continue;
                ImageCopy draft = copy.BeginCopy(file.Image);
                Write(file, draft);
                draft.Complete();
                copy.CommitCopy(draft);
            }
        }
    }

    private static void Write(ImageFile file, ImageCopy draft)
    {
        using AlignedBuffer buffer = new(4096);
        for (long offset = 0; offset < file.Image.FileBytes; offset += buffer.Length)
        {
            file.File.Read(offset, buffer.Span);
            draft.Write(buffer.Span, offset);
        }
    }

    private static byte[] Bytes(CrashMedium medium, string name)
    {
        using IStoreFile file = medium.OpenForReading(name);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return bytes;
    }
}
