using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// The files that must be readable for ever, and of the newest version those that the writer makes. They are
/// never regenerated.
/// </summary>
public sealed class GoldenTests
{
    private const string Newest = "1.5";

    private static readonly string[] s_names =
        ["full-none", "full-lz4", "full-shuffle", "full-auto", "incremental-none"];

    private static readonly string[] s_namesSince12 = ["full-units"];

    public static TheoryData<string> Names => [.. s_names, .. s_namesSince12];

    public static TheoryData<string, string> Files
    {
        get
        {
            TheoryData<string, string> files = [];
            foreach (string name in s_names)
            {
                files.Add("1.0", name);
                files.Add("1.1", name);
                files.Add("1.2", name);
                files.Add("1.3", name);
                files.Add("1.4", name);
                files.Add("1.5", name);
            }

            foreach (string name in s_namesSince12)
            {
                files.Add("1.2", name);
                files.Add("1.3", name);
                files.Add("1.4", name);
                files.Add("1.5", name);
            }

            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_writer_still_makes_the_golden_file_byte_for_byte(string name) =>
        Assert.Equal(Golden(Newest, name), Make(name));

    [Theory]
    [MemberData(nameof(Files))]
    public void A_golden_file_reads_as_what_it_was_made_from(string version, string name)
    {
        using ImageReader image = ImageReader.Open(new MemoryFile(Golden(version, name)));
        bool full = name.StartsWith("full", StringComparison.Ordinal);
        ImageHeader header = full ? SampleImage.FullHeader : SampleImage.IncrementalHeader;
        bool hasTag = string.CompareOrdinal(version, "1.5") >= 0;
        Assert.Equal(hasTag ? header : header with { Tag = null }, image.Header);
        Assert.Equivalent(
            full ? SampleImage.Arena(9) : SampleImage.Arena(10), image.Regions[0].Description, strict: true);
        Assert.Equivalent(SampleImage.Buffer(), image.Regions[1].Description, strict: true);
        AssertMetadata(version == "1.0" ? SampleImage.Metadata10 : SampleImage.Metadata, image.Metadata);
        byte[] stream = full
            ? [.. SampleImage.Smooth(3), .. SampleImage.Noise(2, 1), .. SampleImage.Smooth(2)]
            : SampleImage.Noise(1, 2);
        using BlockScratch scratch = new();
        Assert.Equal(
            stream,
            Enumerable.Range(0, image.Blocks.Length).SelectMany(
                block => image.ReadBlock(block, scratch).ToArray()));
    }

    private static void AssertMetadata(ImageMetadata expected, ImageMetadata found)
    {
        Assert.Equivalent(expected.Roots, found.Roots, strict: true);
        Assert.Equivalent(expected.AsyncHandlers, found.AsyncHandlers, strict: true);
        Assert.Equivalent(expected.Environment, found.Environment, strict: true);
        Assert.Equal(expected.Figures, found.Figures);
        Assert.Equal(
            expected.Participants.Select(one => (one.Id, one.Name, one.Kind)),
            found.Participants.Select(one => (one.Id, one.Name, one.Kind)));
        Assert.Equal(
            expected.Participants.Select(one => string.Join('|', one.Handlers)),
            found.Participants.Select(one => string.Join('|', one.Handlers)));
    }

    private static byte[] Make(string name) => name switch
    {
        "full-none" => SampleImage.Full(BlockEncoding.None),
        "full-lz4" => SampleImage.Full(BlockEncoding.Lz4),
        "full-shuffle" => SampleImage.Full(BlockEncoding.ShuffleLz4),
        "full-auto" => SampleImage.Full(BlockEncoding.Auto),
        "full-units" => SampleImage.InUnits(BlockEncoding.Auto),
        _ => SampleImage.Incremental(BlockEncoding.None),
    };

    private static byte[] Golden(string version, string name) =>
        File.ReadAllBytes(Path.Combine(Folder(), version, $"{name}.snapshot"));

    /// <summary>
    /// In the source tree, which deterministic builds hide from the compiler: found upwards from the
    /// assembly.
    /// </summary>
    private static string Folder()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Snapshot.sln"))) at = at.Parent;
        return Path.Combine(at!.FullName, "tests", "Snapshot.Tests", "Image", "Golden");
    }
}
