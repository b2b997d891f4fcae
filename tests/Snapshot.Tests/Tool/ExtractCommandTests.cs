using System.Text.Json;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>extract, on good and on damaged stores.</summary>
public sealed class ExtractCommandTests : IDisposable
{
    private const int PageBytes = 4096;

    private readonly StoreOnDisk _store = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-extract-");

    private string Output => Path.Combine(_folder.FullName, "grid.bin");

    public void Dispose()
    {
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>
    /// Generation 3 wrote its first page; nine more are the first generation's, the rest is zero.
    /// </summary>
    [Fact]
    public async Task The_newest_generation_is_written_whole()
    {
        ToolRun run = await ToolRun.Here("extract", _store.Path, "grid", Output);
        Assert.Equal((ExitCode.Fine, ""), (run.ExitCode, run.Error));
        Assert.Equal($"160 KiB of 'grid' from generation 3 are in {Output}\n", run.Out);
        byte[] written = await File.ReadAllBytesAsync(Output);
        Assert.Equal(40 * PageBytes, written.Length);
        Assert.Equal(PageOf(generation: 3, 0), written[..PageBytes]);
        Assert.Equal(PageOf(generation: 1, 9), written[(9 * PageBytes)..(10 * PageBytes)]);
        Assert.Equal(-1, written.AsSpan(10 * PageBytes).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task Bytes_of_another_generation_are_chosen_by_options()
    {
        ToolRun run = await ToolRun.Here(
            "extract", _store.Path, "grid", Output, "--generation", "1", "--offset", "4095", "--length", "3",
            "--json");
        JsonElement result = run.Json();
        Assert.Equal(
            (1, "grid", 4095, 3, Output),
            (result.GetProperty("generation").GetInt32(), result.GetProperty("region").GetString(),
                result.GetProperty("offset").GetInt32(), result.GetProperty("bytes").GetInt32(),
                result.GetProperty("file").GetString()));
        byte[] expected = [PageOf(1, 0)[^1], .. PageOf(1, 1)[..2]];
        Assert.Equal(expected, await File.ReadAllBytesAsync(Output));
    }

    [Theory]
    [InlineData("gird", "has no region 'gird'. It has: 'grid'.", "--json")]
    [InlineData("grid", "has no generation 9", "--generation", "9")]
    [InlineData(
        "grid", "has 163840 bytes; --offset 163840 and --length 1 reach beyond", "--offset", "163840",
        "--length", "1")]
    public async Task What_is_not_there_is_said_and_no_file_is_made(
        string region, string message, params string[] options)
    {
        ToolRun run = await ToolRun.Here(["extract", _store.Path, region, Output, .. options]);
        Assert.Contains(message, run.FailsWith(ExitCode.Environment), StringComparison.Ordinal);
        Assert.False(File.Exists(Output));
    }

    [Theory]
    [InlineData("--offset", "-1")]
    [InlineData("--length", "4k")]
    [InlineData("--generation", "0")]
    public async Task A_wrong_number_is_refused(string option, string value) => Assert.Contains(
        value, (await ToolRun.Here("extract", _store.Path, "grid", Output, option, value))
            .FailsWith(ExitCode.Usage),
        StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_exists_is_left_alone()
    {
        await File.WriteAllTextAsync(Output, "mine");
        ToolRun run = await ToolRun.Here("extract", _store.Path, "grid", Output);
        Assert.Contains(
            "exists already; give the name of a new file", run.FailsWith(ExitCode.Environment),
            StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Output));
    }

    [Fact]
    public async Task Damage_is_named_and_no_half_file_is_left()
    {
        _store.FlipByte(1, offset: 5000);
        ToolRun run = await ToolRun.Here("extract", _store.Path, "grid", Output);
        Assert.Contains(
            Path.GetFileName(_store.FileOf(1)), run.FailsWith(ExitCode.Damage), StringComparison.Ordinal);
        Assert.False(File.Exists(Output));
    }

    /// <summary>As <see cref="StoreOnDisk"/> makes them.</summary>
    private static byte[] PageOf(int generation, int page)
    {
        byte[] pages = new byte[10 * PageBytes];
        new Random(generation).NextBytes(pages);
        return pages[(page * PageBytes)..((page + 1) * PageBytes)];
    }
}
