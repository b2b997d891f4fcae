using System.Text.Json;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>Tags in what commands print, and generations that are named by them.</summary>
public sealed class TagCommandsTests : IDisposable
{
    private readonly StoreOnDisk _store = new(4, "heat 1", null, "heat 2", "heat [1]");

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(60)]
    [InlineData(120)]
    public async Task List_has_a_column_of_tags(int width)
    {
        ToolRun run = await ToolRun.Here(width, "list", _store.Path);
        Assert.Equal((ExitCode.Fine, ""), (run.ExitCode, run.Error));
        foreach (string part in new[] { "Tag", "heat 1", "heat 2", "heat [1]" })
            Assert.Contains(part, run.Out, StringComparison.Ordinal);
        JsonElement list = (await ToolRun.Here("list", _store.Path, "--json")).Json();
        Assert.Equal(
            ["heat 1", null, "heat 2", "heat [1]"],
            list.EnumerateArray().Select(info => info.GetProperty("tag").GetString()));
    }

    [Fact]
    public async Task A_list_without_tags_has_no_column_of_them()
    {
        using StoreOnDisk untagged = new();
        Assert.DoesNotContain(
            "Tag", (await ToolRun.Here("list", untagged.Path)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_tells_the_tag_and_takes_one()
    {
        ToolRun run = await ToolRun.Here("show", _store.Path, "--tag", "heat 2");
        Assert.Contains("Generation 3", run.Out, StringComparison.Ordinal);
        Assert.Matches("tag +heat 2", run.Out);
        JsonElement image = (await ToolRun.Here("show", _store.Path, "--tag", "heat [1]", "--json")).Json();
        Assert.Equal("heat [1]", image.GetProperty("info").GetProperty("tag").GetString());
    }

    [Fact]
    public async Task Verify_extract_compact_and_rollback_take_a_tag()
    {
        JsonElement report = (await ToolRun.Here("verify", _store.Path, "--tag", "heat 1", "--json")).Json();
        Assert.Equal(1, report.GetProperty("imageCount").GetInt32());
        string file = _store.Path + ".bin";
        ToolRun extract = await ToolRun.Here(
            "extract", _store.Path, "grid", file, "--tag", "heat 2", "--json");
        Assert.Equal(3, extract.Json().GetProperty("generation").GetInt64());
        JsonElement compact =
            (await ToolRun.Here("compact", _store.Path, "--tag", "heat 2", "--json")).Json();
        Assert.Equal("heat 2", compact.GetProperty("generation").GetProperty("tag").GetString());
        Assert.Equal("full", compact.GetProperty("generation").GetProperty("kind").GetString());
        ToolRun rollback = await ToolRun.Here("rollback", _store.Path, "--tag", "heat 1", "--json");
        Assert.Equal(1, rollback.Json().GetProperty("restart").GetInt64());
    }

    [Fact]
    public async Task A_tag_that_is_not_there_is_an_error_that_names_those_that_are() => Assert.Contains(
        "'heat [1]', 'heat 2', 'heat 1'",
        (await ToolRun.Here("show", _store.Path, "--tag", "heat 3")).FailsWith(ExitCode.Environment),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("not both", "show", "1", "--tag", "a")]
    [InlineData("not both", "extract", "grid", "out", "--generation", "1", "--tag", "a")]
    [InlineData("its tag, or --undo", "rollback", "--tag", "a", "--undo")]
    [InlineData("its tag, or --undo", "rollback")]
    [InlineData("'' is not a tag", "show", "--tag", "")]
    public async Task A_generation_is_named_once(string hint, string command, params string[] rest) =>
        Assert.Contains(
            hint, (await ToolRun.Here([command, _store.Path, .. rest])).FailsWith(ExitCode.Usage),
            StringComparison.Ordinal);
}
