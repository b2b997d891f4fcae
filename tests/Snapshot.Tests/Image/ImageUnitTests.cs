using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>Pages that are written before their turn in the page stream.</summary>
public sealed class ImageUnitTests
{
    [Fact]
    public void Pages_written_ahead_are_found_where_their_unit_is_placed()
    {
        byte[] first = SampleImage.Noise(100, 1), second = SampleImage.Noise(3, 2), beside =
            SampleImage.Noise(5, 3);
        byte[] file = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(120));
            writer.AppendPages(beside.AsSpan(0, 4 * 4096), 0);
            int two = writer.BeginUnit();
            writer.AppendPages(second, 0);
            writer.EndUnit();
            int none = writer.BeginUnit();
            writer.EndUnit();
            writer.AppendPages(beside.AsSpan(4 * 4096), 0);
            int one = writer.BeginUnit();
            writer.AppendPages(first, 0);
            writer.EndUnit();
            writer.AppendUnit(one, 70);
            writer.Append(ExtentKind.Zero, 12);
            writer.AppendUnit(one, 0);
            writer.AppendUnit(one, 30);
            writer.AppendUnit(none, 0);
            writer.AppendUnit(two, 3);
        });
        using ImageReader image = ImageReader.Open(new MemoryFile(file));
        Assert.Equal(
            [(ExtentKind.Present, 75L), (ExtentKind.Zero, 12L), (ExtentKind.Present, 33L)],
            image.Regions[0].Extents.ToArray().Select(one => (one.Kind, one.PageCount)));
        Assert.Equal([5, 64, 36, 3], image.Blocks.ToArray().Select(block => (int)block.PageCount));
        Assert.Equal([3, 1, 2, 0], Enumerable.Range(0, 4).Select(image.BlockInFile));
        using BlockScratch scratch = new(1 << 20);
        Assert.Equal(
            [.. beside, .. first, .. second],
            Enumerable.Range(0, 4).SelectMany(block => image.ReadBlock(block, scratch).ToArray()));
    }

    [Fact]
    public void Room_of_which_nothing_is_kept_adds_nothing_to_a_unit_or_beside_it()
    {
        byte[] unit = SampleImage.Noise(2, 1), beside = SampleImage.Noise(3, 2), last =
            SampleImage.Noise(1, 3);
        byte[] file = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            writer.BeginRegion(SampleImage.Arena(6));
            Try(writer);
            int none = writer.BeginUnit();
            Try(writer);
            writer.EndUnit();
            int some = writer.BeginUnit();
            Try(writer);
            unit.CopyTo(writer.Room());
            writer.AppendRoom(2, 0);
            Try(writer);
            writer.EndUnit();
            beside.CopyTo(writer.Room());
            writer.AppendRoom(3, 0);
            int empty = writer.BeginUnit();
            Try(writer);
            writer.EndUnit();
            writer.AppendUnit(none, 0);
            writer.AppendUnit(empty, 0);
            writer.AppendUnit(some, 2);
            writer.AppendPages(last, 0);
            Try(writer);
        });
        using ImageReader image = ImageReader.Open(new MemoryFile(file));
        Assert.Equal((ExtentKind.Present, 6L), Assert.Single(
            image.Regions[0].Extents.ToArray().Select(one => (one.Kind, one.PageCount))));
        Assert.Equal([3, 2, 1], image.Blocks.ToArray().Select(block => (int)block.PageCount));
        using BlockScratch scratch = new(1 << 20);
        Assert.Equal(
            [.. beside, .. unit, .. last],
            Enumerable.Range(0, 3).SelectMany(block => image.ReadBlock(block, scratch).ToArray()));

        static void Try(ImageWriter writer)
        {
            writer.Room().Fill(0xEE);
            writer.AppendRoom(0, 8);
        }
    }

    [Fact]
    public void Units_placed_in_the_order_they_were_written_in_need_no_order_in_the_file()
    {
        byte[] file = SampleImage.Write(SampleImage.FullHeader, BlockEncoding.None, writer =>
        {
            int first = writer.BeginUnit();
            writer.AppendPages(SampleImage.Noise(70, 1), 0);
            writer.EndUnit();
            int second = writer.BeginUnit();
            writer.AppendPages(SampleImage.Noise(2, 2), 0);
            writer.EndUnit();
            writer.BeginRegion(SampleImage.Arena(73));
            writer.AppendUnit(first, 70);
            writer.AppendUnit(second, 2);
            writer.AppendPages(SampleImage.Noise(1, 3), 0);
        });
        Assert.Equal(-1, file.AsSpan().IndexOf("ORDR"u8));
        using ImageReader image = ImageReader.Open(new MemoryFile(file));
        Assert.Equal([64, 6, 2, 1], image.Blocks.ToArray().Select(block => (int)block.PageCount));
    }

    [Fact]
    public void What_would_tear_a_unit_or_leave_pages_without_a_place_is_refused()
    {
        using ImageWriter writer = new(new MemoryFile(), SampleImage.FullHeader);
        Assert.Throws<InvalidOperationException>(writer.EndUnit);
        int unit = writer.BeginUnit();
        Assert.Throws<InvalidOperationException>(() => writer.BeginUnit());
        writer.AppendPages(SampleImage.Noise(3, 1), 0);
        writer.BeginRegion(SampleImage.Arena(4));
        Assert.Throws<InvalidOperationException>(() => writer.AppendUnit(unit, 1));
        writer.EndUnit();
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.AppendUnit(1, 1));
        Assert.Throws<InvalidOperationException>(() => writer.AppendUnit(unit, 4));
        writer.AppendUnit(unit, 1);
        Assert.Throws<InvalidOperationException>(() => writer.AppendPages(SampleImage.Noise(1, 1), 0));
        writer.Append(ExtentKind.Zero, 1);
        Assert.Throws<InvalidOperationException>(() => writer.Complete(SampleImage.Metadata));
        Assert.Throws<InvalidOperationException>(() => writer.AppendUnit(unit, 3));
        writer.AppendUnit(unit, 2);
        Assert.Throws<InvalidOperationException>(() => writer.AppendUnit(unit, 1));
        writer.Complete(SampleImage.Metadata);
    }
}
