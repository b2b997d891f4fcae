using System.Text.Json;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>compact and prune.</summary>
public sealed class WritingCommandsTests : IDisposable
{
    private readonly StoreOnDisk _store = new(generations: 6);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Compact_makes_the_newest_full_and_does_nothing_the_second_time()
    {
        JsonElement first = (await ToolRun.Here("compact", _store.Path, "--json")).Json();
        Assert.True(first.GetProperty("changed").GetBoolean());
        Assert.Equal("full", first.GetProperty("generation").GetProperty("kind").GetString());
        Assert.Equal(6, first.GetProperty("generation").GetProperty("generation").GetInt64());

        ToolRun again = await ToolRun.Here("compact", _store.Path);
        Assert.Equal((ExitCode.Fine, ""), (again.ExitCode, again.Error));
        Assert.Contains("nothing to do", again.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Fine, (await ToolRun.Here("verify", _store.Path)).ExitCode);
    }

    [Fact]
    public async Task Compact_of_a_broken_chain_is_damage_and_changes_nothing()
    {
        _store.FlipByte(1, offset: 5000);
        (await ToolRun.Here("compact", _store.Path, "3", "--json")).FailsWith(ExitCode.Damage);
        Assert.Equal(2, (await ToolRun.Here("list", _store.Path, "--json")).Json()[2].GetProperty("parent")
            .GetInt64());
    }

    [Fact]
    public async Task A_dry_run_of_prune_says_what_prune_then_does()
    {
        await ToolRun.Here("compact", _store.Path, "5");
        string[] prune = ["prune", _store.Path, "--keep-last", "1", "--json"];
        JsonElement planned = (await ToolRun.Here([.. prune, "--dry-run"])).Json();
        Assert.True(planned.GetProperty("dryRun").GetBoolean());
        Assert.Equal(6, (await ToolRun.Here("list", _store.Path, "--json")).Json().GetArrayLength());

        JsonElement done = (await ToolRun.Here(prune)).Json();
        Assert.False(done.GetProperty("dryRun").GetBoolean());
        Assert.Equal([1, 2, 3, 4], Generations(done, "deleted"));
        Assert.Equal([5, 6], Generations(done, "kept"));
        Assert.Equal(Generations(planned, "deleted"), Generations(done, "deleted"));
        Assert.Equal(planned.GetProperty("bytesFreed").GetInt64(), done.GetProperty("bytesFreed").GetInt64());
        Assert.Equal(ExitCode.Fine, (await ToolRun.Here("verify", _store.Path)).ExitCode);
    }

    [Fact]
    public async Task Prune_keeps_by_number_and_age()
    {
        foreach (string generation in new[] { "2", "3", "4", "5", "6" })
            await ToolRun.Here("compact", _store.Path, generation);
        ToolRun run = await ToolRun.Here(
            "prune", _store.Path, "--keep-last", "1", "--keep-every", "2", "--max-age", "3d", "--dry-run",
            "--json");
        Assert.Equal([1, 2, 3, 5], Generations(run.Json(), "deleted"));
        Assert.Contains("Would delete 4 generations", (await ToolRun.Here(
            "prune", _store.Path, "--keep-last", "1", "--keep-every", "2", "--max-age", "3d",
            "--dry-run")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_open_for_writing_is_busy_for_writers_only()
    {
        using SnapshotStore open = SnapshotStore.Open(_store.Path);
        (await ToolRun.Here("compact", _store.Path)).FailsWith(ExitCode.Busy);
        (await ToolRun.Here("prune", _store.Path, "--keep-last", "1")).FailsWith(ExitCode.Busy);
        Assert.Equal(ExitCode.Fine, (await ToolRun.Here("list", _store.Path)).ExitCode);
        Assert.Equal(ExitCode.Fine, (await ToolRun.Here("verify", _store.Path)).ExitCode);
        Assert.Equal(
            ExitCode.Fine,
            (await ToolRun.Here("prune", _store.Path, "--keep-last", "1", "--dry-run")).ExitCode);
    }

    [Theory]
    [InlineData("compact")]
    [InlineData("rollback", "1")]
    [InlineData("recover")]
    [InlineData("prune", "--keep-last", "1")]
    public void Whoever_waits_for_no_other_process_is_refused_at_once(string command, params string[] rest)
    {
        using SnapshotStore open = SnapshotStore.Open(_store.Path);
        ToolRun run = ToolRun.Process(null, [command, _store.Path, .. rest, "--wait", "0"]);
        Assert.Contains("open for writing. Close it", run.FailsWith(ExitCode.Busy), StringComparison.Ordinal);
        Assert.DoesNotContain("waiting", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_waits_for_another_process_says_so_and_for_whom()
    {
        using SnapshotStore open = SnapshotStore.Open(_store.Path);
        ToolRun run = ToolRun.Process(null, "compact", _store.Path, "--wait", "1.1");
        string[] lines = run.FailsWith(ExitCode.Busy).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("snapshot: note: ", lines[0], StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId} ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("waiting up to 1.1 s for it", lines[0], StringComparison.Ordinal);
        Assert.Equal(2, lines.Length);
    }

    private static long[] Generations(JsonElement result, string list) =>
        [.. result.GetProperty(list).EnumerateArray().Select(
            info => info.GetProperty("generation").GetInt64())];
}
