using K4os.Compression.LZ4;
using Snapshot.Base;
using Snapshot.Fuzz.Forging;
using Snapshot.Fuzz.Targets;
using Snapshot.Image;
using Snapshot.NativeThreads;
using Snapshot.Storage;

namespace Snapshot.Fuzz;

/// <summary>The first inputs: small, valid, and together with everything that the formats have.</summary>
internal static class Seeds
{
    private static readonly DateTimeOffset s_created = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Guid s_parent = new("11223344-5566-7788-99aa-bbccddeeff00");
    private static readonly Guid s_child = new("00112233-4455-6677-8899-aabbccddeeff");

    /// <summary>By target and name.</summary>
    internal static IEnumerable<(string Target, string Name, byte[] Input)> All =>
    [
        ("image", "full", CompactImages.Pack([Full(BlockEncoding.Auto)])),
        ("image", "lz4", CompactImages.Pack([Full(BlockEncoding.Lz4)])),
        ("image", "ordered", CompactImages.Pack([Ordered()])),
        ("image", "chain", CompactImages.Pack([Increment(), Full(BlockEncoding.ShuffleLz4)])),
        ("decode", "field", [1, .. Encoded(field: true)]),
        ("decode", "text", [0, .. Encoded(field: false)]),
        ("manifest", "empty", HalfOf(new ManifestState(1, []))),
        ("manifest", "three", HalfOf(new ManifestState(2, [Entry(1, null), Entry(2, 1), Entry(3, 2)]))),
        ("manifest", "tagged", HalfOf(new ManifestState(
            1, [Entry(1, null) with { Tag = "début" }, Entry(2, 1), Entry(3, 2) with { Tag = "b" }]))),
        ("modules", "two", ListOf(Processor, Module, Module with { Writable = [], Needed = [] })),
        ("modules", "none", ListOf(Processor with { Components = [], Features = [] })),
    ];

    /// <summary>A block of two pages of a smooth field, or of one page of a text.</summary>
    private static byte[] Encoded(bool field)
    {
        byte[] pages = new byte[field ? 8192 : 4096];
        for (int i = 0; i < pages.Length; i++)
            pages[i] =
                (byte)(field ? (i % 8 == 0 ? i / 64 : i % 8 * 3) : "a checkpoint, and a restart; "[i % 29]);
        byte[] stored = new byte[LZ4Codec.MaximumOutputSize(pages.Length)];
        return stored[..LZ4Codec.Encode(pages, stored)];
    }

    private static NativeEnvironment Processor => new()
    {
        VectorState = 7,
        VectorStateSize = 832,
        Components = [new VectorComponent(2, 576, 256)],
        Features = [1, 2],
        SignalStackMin = 3376,
        ErrnoOffset = -120,
        LibcVersion = "2.36",
    };

    private static NativeModuleManifest Module => new()
    {
        Path = "/k/lib.so",
        BuildId = "00aa",
        Base = NativeModuleBase.First,
        Size = 0x9000,
        ThreadLocalSize = 24,
        ThreadLocalAlignment = 16,
        ThreadLocalOffset = 944,
        Writable = [new AddressRange(NativeModuleBase.First + 0x3000, 0x1000)],
        Needed = ["libc.so.6"],
    };

    private static ImageMetadata Metadata => new()
    {
        Roots = [new RootDescription(1, "field", "System.Double", 1536, 4096)],
        Participants =
        [
            new ParticipantDescription(1, "worker", ParticipantKind.Polled, ["flush", "close"]),
            new ParticipantDescription(2, "fibers", ParticipantKind.Fibers, []),
        ],
        AsyncHandlers = [new HandlerDescription(3, "results")],
        Owners =
        [
            new LockOwnerDescription(1, "worker", LockOwnerKind.Participant),
            new LockOwnerDescription(3, "results", LockOwnerKind.Handler),
        ],
        Environment = new EnvironmentDescription("0.1.0", "10.0.0", "Linux", "x64", null, "heat"),
        Figures = [new("mode", "stage")],
    };

    private static ImageHeader FullHeader => new(s_parent, 1, null, s_created);

    private static byte[] Full(BlockEncoding encoding) => Write(FullHeader, encoding, to =>
    {
        to.BeginRegion(Arena(9));
        to.Append(ExtentKind.Zero, 1);
        to.AppendPages(Field(3), 8);
        to.Append(ExtentKind.Excluded, 2);
        to.Append(ExtentKind.Zero, 3);
        to.BeginRegion(
            new RegionDescription(7, "halo", RegionKind.Buffer, 0x7f00_0000_0000, 2, 5000, 5000, false));
        to.AppendPages(Field(1), 4);
        to.Append(ExtentKind.Zero, 1);
    });

    private static byte[] Ordered() => Write(FullHeader, BlockEncoding.Auto, to =>
    {
        int ahead = to.BeginUnit();
        to.AppendPages(Field(2), 8);
        to.EndUnit();
        to.BeginRegion(Arena(4));
        to.AppendPages(Field(2), 8);
        to.AppendUnit(ahead, 2);
    });

    private static byte[] Increment() => Write(
        new ImageHeader(s_child, 2, new ImageLink(s_parent, 1), s_created), BlockEncoding.ShuffleLz4, to =>
        {
            to.BeginRegion(Arena(10));
            to.Append(ExtentKind.InParent, 3);
            to.AppendPages(Field(1), 8);
            to.Append(ExtentKind.InParent, 5);
            to.Append(ExtentKind.Zero, 1);
        });

    private static RegionDescription Arena(long pages) => new(
        1, "grid", RegionKind.Arena, 0x2000_0000_0000, pages, 1 << 30, pages * ImageFormat.PageSize, true);

    /// <summary>Pages that take few bytes.</summary>
    private static byte[] Field(int pages)
    {
        byte[] bytes = new byte[pages * ImageFormat.PageSize];
        for (int i = 0; i < bytes.Length; i += 8) BitConverter.TryWriteBytes(bytes.AsSpan(i), i / 64);
        return bytes;
    }

    private static byte[] Write(ImageHeader header, BlockEncoding encoding, Action<ImageWriter> write)
    {
        MemorySink file = new();
        using ImageWriter writer = new(
            file, header, new ImageWriterOptions { Encoding = encoding, WriteBytes = 8192 });
        write(writer);
        writer.Complete(Metadata);
        return file.Bytes;
    }

    private static ManifestEntry Entry(long generation, long? parent) => new(
        s_child, generation, parent is { } older ? new ImageLink(s_child, older) : null, 1 << 20, 77,
        s_created, 0);

    private static byte[] HalfOf(ManifestState state)
    {
        byte[] half = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(state, half);
        int tags = state.Entries.Sum(entry => RecordedTag.Encode(entry.Tag).Length);
        return half[..(ManifestHalf.HeaderBytes + state.Entries.Count * ManifestHalf.EntryBytes + tags)];
    }

    private static byte[] ListOf(NativeEnvironment processor, params NativeModuleManifest[] modules) =>
        NativeManifest.ToBytes(processor, modules)[NativeManifest.HeaderSize..];
}
