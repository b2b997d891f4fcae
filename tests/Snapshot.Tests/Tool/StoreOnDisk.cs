using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot.Tests.Tool;

/// <summary>
/// A store in a temporary folder: generation 1 full, each further one incremental on the one before.
/// </summary>
internal sealed class StoreOnDisk : IDisposable
{
    private const int PageBytes = 4096;
    private const int ArenaPages = 40;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-tool-");

    /// <param name="generations">How many there are.</param>
    /// <param name="tags">What the first ones are called.</param>
    internal StoreOnDisk(int generations = 3, params string?[] tags)
    {
        using SnapshotStore store = SnapshotStore.Open(Path);
        ImageLink? parent = null;
        for (int generation = 1; generation <= generations; generation++)
        {
            ImageHeader header = new(
                ImageHeader.NewImageId(), generation, parent,
                DateTimeOffset.UtcNow.AddDays(generation - generations))
            { Tag = tags.ElementAtOrDefault(generation - 1) };
            store.Commit(Write(store, header));
            parent = new ImageLink(header.ImageId, generation);
        }
    }

    internal string Path => System.IO.Path.Combine(_folder.FullName, "store");

    internal string FileOf(long generation)
    {
        using SnapshotStore store = SnapshotStore.OpenReadOnly(Path);
        return System.IO.Path.Combine(
            Path, store.Generations.Single(info => info.Generation == generation).FileName);
    }

    internal void FlipByte(long generation, long offset)
    {
        using FileStream file = new(FileOf(generation), FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0x10));
    }

    internal void Truncate(long generation)
    {
        using FileStream file = new(FileOf(generation), FileMode.Open, FileAccess.ReadWrite);
        file.SetLength(file.Length - PageBytes);
    }

    internal void DeleteFile(long generation) => File.Delete(FileOf(generation));

    public void Dispose() => _folder.Delete(recursive: true);

    private static ImageDraft Write(SnapshotStore store, ImageHeader header)
    {
        ImageDraft draft = store.BeginImage(header, new ImageWriterOptions { Encoding = BlockEncoding.None });
        draft.Writer.BeginRegion(
            new RegionDescription(
                1, "grid", RegionKind.Arena, 0x2000_0000_0000, ArenaPages, 1 << 30, ArenaPages * PageBytes,
                true));
        byte[] pages = new byte[10 * PageBytes];
        new Random((int)header.Generation).NextBytes(pages);
        if (header.Parent is null)
        {
            draft.Writer.AppendPages(pages, 8);
            draft.Writer.Append(ExtentKind.Zero, ArenaPages - 10);
        }
        else
        {
            draft.Writer.AppendPages(pages.AsSpan(0, PageBytes), 8);
            draft.Writer.Append(ExtentKind.InParent, 9);
            draft.Writer.Append(ExtentKind.Zero, 20);
            draft.Writer.Append(ExtentKind.Excluded, ArenaPages - 30);
        }

        draft.Complete(new ImageMetadata
        {
            Roots = [new RootDescription(1, "temperature", "System.Double", 4096, 4096)],
            Participants = [new ParticipantDescription(1, "worker 0", ParticipantKind.Polled, ["sums"])],
            AsyncHandlers = [new HandlerDescription(2, "results")],
            Environment = new EnvironmentDescription(
                "0.1.0", ".NET 10.0.0", "Linux 6.18", "x64", "node-17", "heat --size [100]"),
            Figures = [new("mode", "preCopy"), new("pauseMs", "1.7")],
        });
        return draft;
    }
}
