using System.Text.Json;
using Snapshot.Base;
using Snapshot.Tool;
using Snapshot.Tool.Output;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tool;

/// <summary>list, show and verify on good and on damaged stores.</summary>
public sealed class ReadingCommandsTests(ITestOutputHelper output) : IDisposable
{
    private readonly StoreOnDisk _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_a_name_has_for_a_terminal_does_not_reach_it()
    {
        ToolRun run = await ToolRun.Here("list", $"{_store.Path}/\u001b[2J\u009bname");
        Assert.DoesNotContain('\u001b', run.Error);
        Assert.Contains("\uFFFD[2J\uFFFDname", run.Error, StringComparison.Ordinal);
        Assert.Equal("a\uFFFD[31mb\nc", Readable.Plain("a\u001b[31mb\nc"));
    }

    [Fact]
    public async Task List_names_every_generation_with_what_it_needs()
    {
        ToolRun run = await ToolRun.Here("list", _store.Path);
        Assert.Equal(ExitCode.Fine, run.ExitCode);
        Assert.Equal("", run.Error);
        Assert.Contains("full", run.Out, StringComparison.Ordinal);
        Assert.Equal(2, run.Out.Split("incremental").Length - 1);
        Assert.Contains($"3 generations, ", run.Out, StringComparison.Ordinal);
        Assert.Contains(_store.Path, run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public async Task Nothing_is_cut_off_or_wider_than_the_terminal(int width)
    {
        _store.FlipByte(2, offset: 5000);
        string[][] commands = [
            ["list", _store.Path], ["show", _store.Path], ["verify", _store.Path],
            ["prune", _store.Path, "--keep-last", "1", "--dry-run"], ["doctor"]];
        foreach (string[] command in commands)
        {
            ToolRun run = await ToolRun.Here(width, command);
            output.WriteLine($"$ snapshot {command[0]}");
            output.WriteLine(run.Out);
            Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= width, line));
            Assert.DoesNotContain("…", run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_narrow_list_breaks_lines_between_words()
    {
        ToolRun run = await ToolRun.Here(60, "list", _store.Path);
        Assert.Matches(@"Generation +Kind +Needs +Captured +Size", run.Out);
        Assert.Matches(@"3 +incremental +2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+\.?\d* [KM]?i?B", run.Out);
    }

    [Fact]
    public async Task List_as_JSON_is_one_array()
    {
        JsonElement list = (await ToolRun.Here("list", _store.Path, "--json")).Json();
        Assert.Equal(3, list.GetArrayLength());
        Assert.Equal("full", list[0].GetProperty("kind").GetString());
        Assert.Equal(JsonValueKind.Null, list[0].GetProperty("parent").ValueKind);
        Assert.Equal(2, list[2].GetProperty("parent").GetInt64());
        Assert.Equal(new FileInfo(_store.FileOf(3)).Length, list[2].GetProperty("fileBytes").GetInt64());
        Assert.True(list[2].GetProperty("created").TryGetDateTimeOffset(out _));
    }

    [Fact]
    public async Task List_of_an_empty_store_is_fine()
    {
        using StoreOnDisk empty = new(generations: 0);
        ToolRun run = await ToolRun.Here("list", empty.Path);
        Assert.Equal((ExitCode.Fine, ""), (run.ExitCode, run.Error));
        Assert.Contains("0 generations", run.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await ToolRun.Here("list", empty.Path, "--json")).Json().GetArrayLength());
        Assert.Contains(
            "no generation yet", (await ToolRun.Here("show", empty.Path)).FailsWith(ExitCode.Environment),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_describes_the_newest_or_the_one_asked_for()
    {
        ToolRun newest = await ToolRun.Here("show", _store.Path);
        Assert.Equal((ExitCode.Fine, ""), (newest.ExitCode, newest.Error));
        foreach (string part in new[]
        {
            "Generation 3", "needs generation 2", "grid", "0x200000000000", "temperature", "worker 0",
            "results",
            "node-17", "heat --size [100]", "pauseMs",
        })
            Assert.Contains(part, newest.Out, StringComparison.Ordinal);
        Assert.Contains(
            "Generation 1", (await ToolRun.Here("show", _store.Path, "1")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_as_JSON_is_one_object()
    {
        JsonElement image = (await ToolRun.Here("show", _store.Path, "2", "--json")).Json();
        Assert.Equal(2, image.GetProperty("info").GetProperty("generation").GetInt64());
        JsonElement region = image.GetProperty("regions")[0];
        Assert.Equal("arena", region.GetProperty("region").GetProperty("kind").GetString());
        Assert.Equal(1, region.GetProperty("presentPages").GetInt64());
        Assert.Equal(9, region.GetProperty("inParentPages").GetInt64());
        Assert.Equal("1.7", image.GetProperty("figures").GetProperty("pauseMs").GetString());
        Assert.Equal("polled", image.GetProperty("participants")[0].GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Verify_of_a_good_store_says_intact()
    {
        ToolRun run = await ToolRun.Here("verify", _store.Path);
        Assert.Equal((ExitCode.Fine, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("Intact: 3 images", run.Out, StringComparison.Ordinal);
        JsonElement report = (await ToolRun.Here("verify", _store.Path, "1", "--json")).Json();
        Assert.True(report.GetProperty("isIntact").GetBoolean());
        Assert.Equal(1, report.GetProperty("imageCount").GetInt32());
    }

    [Fact]
    public async Task Verify_finds_a_flipped_byte_and_says_where()
    {
        _store.FlipByte(2, offset: 5000);
        ToolRun run = await ToolRun.Here("verify", _store.Path);
        Assert.Equal((ExitCode.Damage, ""), (run.ExitCode, run.Error));
        Assert.Contains("Corrupt", run.Out, StringComparison.Ordinal);
        Assert.Contains("Damaged: ", run.Out, StringComparison.Ordinal);

        ToolRun json = await ToolRun.Here("verify", _store.Path, "--json");
        Assert.Equal(ExitCode.Damage, json.ExitCode);
        JsonElement report = json.Json();
        Assert.False(report.GetProperty("isIntact").GetBoolean());
        JsonElement problem = report.GetProperty("problems")[0];
        Assert.Equal("corrupt", problem.GetProperty("code").GetString());
        Assert.Equal(2, problem.GetProperty("generation").GetInt64());
        Assert.Equal(_store.FileOf(2), problem.GetProperty("path").GetString());
    }

    [Fact]
    public async Task Verify_of_a_generation_covers_what_it_needs_and_nothing_else()
    {
        _store.FlipByte(2, offset: 5000);
        Assert.Equal(ExitCode.Fine, (await ToolRun.Here("verify", _store.Path, "1")).ExitCode);
        Assert.Equal(ExitCode.Damage, (await ToolRun.Here("verify", _store.Path, "3")).ExitCode);
    }

    [Fact]
    public async Task Interrupted_work_has_a_code_of_its_own()
    {
        using StringWriter result = new();
        using StringWriter error = new();
        ToolConsole console = new(result, error, isOutputTerminal: false, isErrorTerminal: false);
        Assert.Equal(
            ExitCode.Interrupted,
            await SnapshotTool.RunAsync(
                ["verify", _store.Path], console, new CancellationToken(canceled: true)));
        Assert.Equal(("", "snapshot: interrupted.\n"), (result.ToString(), error.ToString()));
    }

    [Fact]
    public async Task Progress_for_a_terminal_stays_out_of_the_result()
    {
        using StringWriter result = new();
        using StringWriter error = new();
        ToolConsole console = new(result, error, isOutputTerminal: false, isErrorTerminal: true, width: 80);
        Assert.Equal(ExitCode.Fine, await SnapshotTool.RunAsync(["verify", _store.Path, "--json"], console));
        using JsonDocument report = JsonDocument.Parse(result.ToString());
        Assert.True(report.RootElement.GetProperty("isIntact").GetBoolean());
    }

    [Fact]
    public async Task Verify_finds_a_truncated_image()
    {
        _store.Truncate(3);
        ToolRun run = await ToolRun.Here("verify", _store.Path, "--json");
        Assert.Equal(ExitCode.Damage, run.ExitCode);
        Assert.Equal(3, run.Json().GetProperty("problems")[0].GetProperty("generation").GetInt64());
    }

    [Fact]
    public async Task Verify_finds_a_missing_parent()
    {
        _store.DeleteFile(1);
        ToolRun run = await ToolRun.Here("verify", _store.Path, "3", "--json");
        Assert.Equal(ExitCode.Damage, run.ExitCode);
        Assert.NotEqual(0, run.Json().GetProperty("problems").GetArrayLength());
    }

    [Fact]
    public async Task Show_of_a_damaged_image_fails_with_the_damage_code()
    {
        _store.Truncate(3);
        string error = (await ToolRun.Here("show", _store.Path, "--json")).FailsWith(ExitCode.Damage);
        Assert.Contains(_store.FileOf(3), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_manifest_is_damage_for_every_command()
    {
        string manifest = Directory.GetFiles(_store.Path)
            .Single(file => Path.GetFileName(file).Contains("manifest", StringComparison.OrdinalIgnoreCase));
        File.WriteAllBytes(manifest, new byte[new FileInfo(manifest).Length]);
        foreach (string command in new[] { "list", "show", "verify", "compact" })
            (await ToolRun.Here(command, _store.Path, "--json")).FailsWith(ExitCode.Damage);
    }

    [Fact]
    public async Task A_missing_store_is_an_environment_error_and_is_not_made()
    {
        string missing = Path.Combine(_store.Path, "nowhere");
        string[][] commands = [
            ["list"], ["show"], ["verify"], ["compact"], ["prune", "--keep-last", "1"],
            ["prune", "--keep-last", "1", "--dry-run"]];
        foreach (string[] command in commands)
        {
            string error = (await ToolRun.Here([.. command, missing])).FailsWith(ExitCode.Environment);
            Assert.Contains(missing, error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(missing));
        }
    }

    [Fact]
    public async Task A_generation_that_is_not_there_is_an_environment_error()
    {
        foreach (string command in new[] { "show", "verify", "compact" })
            Assert.Contains(
                "99", (await ToolRun.Here(command, _store.Path, "99")).FailsWith(ExitCode.Environment),
                StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_works_without_the_native_library()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-tool-");
        try
        {
            string[] patterns = [
                "Snapshot.Tool.*", "Snapshot.dll", "Snapshot.Mpi.dll", "System.CommandLine.dll",
                "Spectre.Console*.dll", "System.IO.Hashing.dll", "K4os.*.dll"];
            foreach (string file in patterns.SelectMany(pattern => Directory.GetFiles(
                AppContext.BaseDirectory, pattern)))
            {
                File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            }

            string[] extract = ["extract", _store.Path, "grid", Path.Combine(folder.FullName, "grid.bin")];
            string[][] commands =
                [["list", _store.Path], ["show", _store.Path], ["verify", _store.Path], extract];
            foreach (string[] command in commands)
            {
                ToolRun run = ToolRun.Process(folder.FullName, [.. command, "--json"]);
                Assert.True(run.ExitCode == ExitCode.Fine, run.Error);
                run.Json();
            }

            ToolRun doctor = ToolRun.Process(folder.FullName, "doctor");
            Assert.Equal(ExitCode.Environment, doctor.ExitCode);
            Assert.Contains("libsnapshot_native.so", doctor.Error, StringComparison.Ordinal);
            Assert.Contains("reinstall the package", doctor.Error, StringComparison.Ordinal);

            byte[] library =
                File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libsnapshot_native.so"));
            const int machine = 18;
            library[machine] = (byte)(MachineArchitecture.Here == MachineArchitecture.X64 ? 183 : 62);
            File.WriteAllBytes(Path.Combine(folder.FullName, "libsnapshot_native.so"), library);
            doctor = ToolRun.Process(folder.FullName, "doctor");
            Assert.Equal(ExitCode.Environment, doctor.ExitCode);
            Assert.Contains(
                $"and this process is {MachineArchitecture.Here.Name}: publish the program for its " +
                "architecture",
                doctor.Error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
