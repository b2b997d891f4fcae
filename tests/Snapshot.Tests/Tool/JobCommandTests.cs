using System.Text.Json;
using Snapshot.Mpi.Manifest;
using Snapshot.Tests.Mpi;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>The commands on the directory of a job.</summary>
public sealed class JobCommandTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public async Task A_job_is_listed_and_verified()
    {
        RankRun.Of("openmpi", 2, "ranks-ring", _store.Path, "23", "none", "0", "0").Good();
        ToolRun list = await ToolRun.Here("list", _store.Path);
        Assert.Equal(0, list.ExitCode);
        Assert.Contains($"2 generations of 2 ranks in {_store.Path}\n", list.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n\s+4\s+20\s+\S.*\s2 of 2\s", list.Out);

        JsonElement json = (await ToolRun.Here("list", _store.Path, "--json")).Json();
        Assert.Equal(2, json.GetProperty("ranks").GetInt32());
        Assert.Equal(
            [(3, 15, 2), (4, 20, 2)],
            json.GetProperty("generations").EnumerateArray().Select(row => (
                row.GetProperty("generation").GetInt32(), row.GetProperty("step").GetInt32(),
                row.GetProperty("ranksComplete").GetInt32())));

        ToolRun intact = await ToolRun.Here("verify", _store.Path);
        Assert.Equal((0, ""), (intact.ExitCode, intact.Error));
        Assert.StartsWith("Intact: ", intact.Out, StringComparison.Ordinal);
        Assert.Equal(3, (await ToolRun.Here("verify", _store.Path, "9")).ExitCode);

        JobDamage.InNewestImage(_store.Path, rank: 1);
        ToolRun damaged = await ToolRun.Here("verify", _store.Path, "--json");
        Assert.Equal(1, damaged.ExitCode);
        JsonElement problem = Assert.Single(damaged.Json().GetProperty("problems").EnumerateArray());
        Assert.Equal((1, 4, "corrupt"), (
            problem.GetProperty("rank").GetInt32(), problem.GetProperty("generation").GetInt32(),
            problem.GetProperty("code").GetString()));
        Assert.Equal(0, (await ToolRun.Here("verify", _store.Path, "3")).ExitCode);

        string lost = new JobPlaces(_store.Path).StoreOf(0);
        Directory.Delete(lost, recursive: true);
        ToolRun without = await ToolRun.Here("list", _store.Path);
        Assert.Equal(0, without.ExitCode);
        Assert.Contains("1 of 2", without.Out, StringComparison.Ordinal);
        Assert.Contains($"{lost}: there is no store here", without.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await ToolRun.Here("verify", _store.Path, "3")).ExitCode);
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public async Task What_levels_have_is_listed_and_copies_are_verified()
    {
        RankRun.Of(
            "openmpi", 4, "ranks-levels", _store.Path, "partner,shared", "8", "none", "0", "0").Good();
        string host = Path.Combine(_store.Path, "host-1"), shared = Path.Combine(_store.Path, "shared");
        Assert.Matches(
            @"\n\s+1\s+5\s+\S.*\s2 of 4\s.*\spartner, shared\s", (await ToolRun.Here("list", host)).Out);
        JsonElement row = Assert.Single(
            (await ToolRun.Here("list", shared, "--json")).Json().GetProperty("generations")
                .EnumerateArray());
        Assert.Equal(4, row.GetProperty("ranksComplete").GetInt32());
        Assert.Equal(
            ["shared"], row.GetProperty("levels").EnumerateArray().Select(level => level.GetString()));
        Assert.Equal(0, (await ToolRun.Here("verify", shared)).ExitCode);

        // The stores of ranks 0 and 1 are on the other host, and their copies here.
        Assert.Equal(["0 local notFound", "1 local notFound"], await ProblemsOf(host));
        JobDamage.InNewestCopy(host, rank: 1);
        Assert.Equal(["0 local notFound", "1 local notFound", "1 partner corrupt"], await ProblemsOf(host));
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public async Task A_job_is_shown_rolled_back_and_pruned()
    {
        RankRun.Of("openmpi", 2, "ranks-ring", _store.Path, "23", "none", "0", "0").Good();
        JsonElement shown = (await ToolRun.Here("show", _store.Path, "--json")).Json();
        Assert.Equal(
            (4, 20), (shown.GetProperty("generation").GetInt32(), shown.GetProperty("step").GetInt32()));
        Assert.Equal(
            [(0, true, false), (1, true, false)],
            shown.GetProperty("images").EnumerateArray().Select(image => (
                image.GetProperty("rank").GetInt32(), image.GetProperty("isHere").GetBoolean(),
                image.GetProperty("copyIsHere").GetBoolean())));
        Assert.Matches(
            @"\n\s+1\s+4\s+[0-9a-f]{32}\s.*\sown\s", (await ToolRun.Here("show", _store.Path, "4")).Out);
        Assert.Equal(3, (await ToolRun.Here("show", _store.Path, "9")).ExitCode);

        // While a rank has its store open nothing of the job is changed.
        using (SnapshotStore.Open(new JobPlaces(_store.Path).StoreOf(1)))
            Assert.Equal(4, (await ToolRun.Here("rollback", _store.Path, "3", "--wait", "0")).ExitCode);
        Assert.Equal(3, (await ToolRun.Here("rollback", _store.Path, "2")).ExitCode);
        ToolRun chosen = await ToolRun.Here("rollback", _store.Path, "3", "--json");
        Assert.Equal(3, chosen.Json().GetProperty("restart").GetInt32());
        Assert.Equal(0, (await ToolRun.Here("rollback", _store.Path, "--undo")).ExitCode);
        Assert.Equal(0, JobManifestFile.Read(_store.Path)!.RestartGeneration);
        Assert.Equal(0, (await ToolRun.Here("rollback", _store.Path, "3")).ExitCode);
        RankRun again = RankRun.Of("openmpi", 2, "ranks-ring", _store.Path, "20", "none", "0", "0").Good();
        Assert.All([0, 1], rank => Assert.Equal("from 3 at 15 skipped 0", again.SaidBy(rank)[0]));

        // The generation that was passed over is in no manifest any more, and its number is not used again.
        Assert.Equal([3, 5], JobManifestFile.Read(_store.Path)!.Entries.Select(entry => entry.Generation));
        Assert.Equal(3, (await ToolRun.Here(
            "prune", _store.Path, "--keep-last", "1", "--keep-every", "2")).ExitCode);
        JsonElement planned =
            (await ToolRun.Here("prune", _store.Path, "--keep-last", "1", "--dry-run", "--json")).Json();
        Assert.Equal(3, Assert.Single(planned.GetProperty("deleted").EnumerateArray()).GetInt32());
        ToolRun pruned = await ToolRun.Here("prune", _store.Path, "--keep-last", "1", "--passed-over");
        Assert.StartsWith("Deleted 1 generation, ", pruned.Out, StringComparison.Ordinal);
        Assert.Equal([5], JobManifestFile.Read(_store.Path)!.Entries.Select(entry => entry.Generation));
        Assert.Equal(0, (await ToolRun.Here("verify", _store.Path)).ExitCode);
        RankRun last = RankRun.Of("openmpi", 2, "ranks-ring", _store.Path, "23", "none", "0", "0").Good();
        Assert.All([0, 1], rank => Assert.Equal("from 5 at 20 skipped 0", last.SaidBy(rank)[0]));
    }

    [Fact]
    public async Task A_damaged_manifest_of_a_job_is_told()
    {
        Directory.CreateDirectory(_store.Path);
        File.WriteAllText(Path.Combine(_store.Path, "job"), "nothing of the kind");
        ToolRun list = await ToolRun.Here("list", _store.Path);
        Assert.Equal(1, list.ExitCode);
        Assert.Contains("this is not the manifest of a job", list.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich"], Toolchain = true)]
    public async Task What_calls_MPI_is_compiled_where_it_is_wanted()
    {
        Directory.CreateDirectory(_store.Path);
        string made = Path.Combine(_store.Path, "made.so");
        ToolRun build = await ToolRun.Here("mpi", "build", "-o", made, "--mpicc", "mpicc.mpich");
        Assert.Equal(
            (0, $"Made {made}. Start ranks with SNAPSHOT_MPI={made}\n"), (build.ExitCode, build.Out));
        Assert.True(File.Exists(made));
        Assert.Equal([made], Directory.GetFileSystemEntries(_store.Path));
    }

    [MachineFact]
    [Needs(Toolchain = true)]
    public async Task A_compiler_that_fails_or_is_missing_is_told_with_what_it_said()
    {
        Directory.CreateDirectory(_store.Path);
        string made = Path.Combine(_store.Path, "made.so");
        ToolRun missing = await ToolRun.Here("mpi", "build", "-o", made, "--mpicc", "no-such-mpicc");
        Assert.Equal(3, missing.ExitCode);
        Assert.Contains("'no-such-mpicc' cannot be run", missing.Error, StringComparison.Ordinal);
        ToolRun plain = await ToolRun.Here("mpi", "build", "-o", made, "--mpicc", "cc");
        Assert.Equal(3, plain.ExitCode);
        Assert.Contains("'cc' failed with exit code 1", plain.Error, StringComparison.Ordinal);
        Assert.Contains("mpi.h", plain.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
    }

    public void Dispose() => _store.Dispose();

    private static async Task<string[]> ProblemsOf(string job) =>
    [
        .. (await ToolRun.Here("verify", job, "--json")).Json().GetProperty("problems").EnumerateArray()
            .Select(
            problem => $"{problem.GetProperty("rank")} {problem.GetProperty("level").GetString()} " +
                problem.GetProperty("code").GetString()),
    ];
}
