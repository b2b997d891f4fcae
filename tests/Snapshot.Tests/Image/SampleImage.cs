using Snapshot.Base;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// A small image of everything the format has, from fixed inputs. The golden files are made of it: it must
/// not change.
/// </summary>
internal static class SampleImage
{
    internal static readonly Guid ParentId = new("11223344-5566-7788-99aa-bbccddeeff00");
    internal static readonly Guid ImageId = new("00112233-4455-6677-8899-aabbccddeeff");
    internal static readonly DateTimeOffset Created = new(2025, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    internal const string Tag = "chaleur à 40 °C, version 400";

    internal static ImageHeader FullHeader =>
        new(ParentId, 1, null, Created) { Architecture = MachineArchitecture.X64, Tag = Tag };

    internal static ImageHeader IncrementalHeader =>
        new(ImageId, 2, new ImageLink(ParentId, 1), Created.AddSeconds(10))
        {
            Architecture = MachineArchitecture.X64,
            Tag = Tag,
        };

    internal static ImageMetadata Metadata => new()
    {
        Roots =
        [
            new RootDescription(1, "field", "System.Double", 1536, 4096),
            new RootDescription(1, "naïve", "System.Int32", 1, 64),
        ],
        Participants =
        [
            new ParticipantDescription(1, "worker 0", ParticipantKind.Polled, ["flush", "close"]),
            new(2, "worker 1", ParticipantKind.Polled, []),
            new(3, "fibers", ParticipantKind.Fibers, ["flush"]),
        ],
        AsyncHandlers = [new HandlerDescription(1, "results")],
        Environment = new EnvironmentDescription(
            "0.1.0", "10.0.0", "Linux 6.18", "x64", null, "heat --size 100"),
        Figures = [new("mode", "stage"), new("pauseNanoseconds", "123456")],
    };

    /// <summary>What images of version 1.0 were made of: no fibers.</summary>
    internal static ImageMetadata Metadata10 =>
        Metadata with { Participants = [.. Metadata.Participants.Take(2)] };

    internal static byte[] Full(BlockEncoding encoding) => Write(FullHeader, encoding, writer =>
    {
        writer.BeginRegion(Arena(9));
        writer.Append(ExtentKind.Zero, 1);
        writer.AppendPages(Smooth(3), 8);
        writer.Append(ExtentKind.Excluded, 2);
        writer.AppendPages(Noise(2, seed: 1), 0);
        writer.Append(ExtentKind.Zero, 1);
        writer.BeginRegion(Buffer());
        writer.AppendPages(Smooth(2), 4);
    });

    /// <summary>
    /// The memory of <see cref="Full"/>, most of it written ahead in units, last pages first.
    /// </summary>
    internal static byte[] InUnits(BlockEncoding encoding) => Write(FullHeader, encoding, writer =>
    {
        int buffer = writer.BeginUnit();
        writer.AppendPages(Smooth(2), 4);
        writer.EndUnit();
        writer.BeginRegion(Arena(9));
        int noise = writer.BeginUnit();
        writer.AppendPages(Noise(2, seed: 1), 0);
        writer.EndUnit();
        writer.Append(ExtentKind.Zero, 1);
        writer.AppendPages(Smooth(3), 8);
        writer.Append(ExtentKind.Excluded, 2);
        writer.AppendUnit(noise, 2);
        writer.Append(ExtentKind.Zero, 1);
        writer.BeginRegion(Buffer());
        writer.AppendUnit(buffer, 2);
    });

    internal static byte[] Incremental(BlockEncoding encoding) => Write(IncrementalHeader, encoding, writer =>
    {
        writer.BeginRegion(Arena(10));
        writer.Append(ExtentKind.InParent, 3);
        writer.AppendPages(Noise(1, seed: 2), 0);
        writer.Append(ExtentKind.InParent, 5);
        writer.Append(ExtentKind.Zero, 1);
        writer.BeginRegion(Buffer());
        writer.Append(ExtentKind.InParent, 2);
    });

    internal static byte[] Write(
        ImageHeader header, BlockEncoding encoding, Action<ImageWriter> write, ImageMetadata? metadata = null)
    {
        MemoryFile file = new();
        using ImageWriter writer = new(
            file, header, new ImageWriterOptions { Encoding = encoding, WriteBytes = 8192 });
        write(writer);
        ImageSummary summary = writer.Complete(metadata ?? Metadata);
        Assert.Equal(file.Length, summary.Length);
        return file.Bytes;
    }

    internal static RegionDescription Arena(long pages) =>
        new(1, "grid", RegionKind.Arena, 0x2000_0000_0000, pages, 1 << 30, pages * 4096, true);

    internal static RegionDescription Buffer() =>
        new(7, "halo", RegionKind.Buffer, 0x7f00_1234_5670, 2, 5000, 5000, false);

    internal static byte[] Smooth(int pages)
    {
        byte[] bytes = new byte[pages * 4096];
        for (int i = 0; i < bytes.Length / 8; i++)
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), 1.0 + i * 0.001);
        return bytes;
    }

    /// <summary>A generator of its own, for that of .NET may change.</summary>
    internal static byte[] Noise(int pages, uint seed)
    {
        byte[] bytes = new byte[pages * 4096];
        uint state = seed * 2654435761;
        for (int i = 0; i < bytes.Length; i++)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            bytes[i] = (byte)(state >> 11);
        }

        return bytes;
    }
}
