using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>
/// The table of docs/RANKS.md: a rank is killed at each point of the third checkpoint of a job, and a
/// restart takes what the table says and comes to the same result.
/// </summary>
[Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
public sealed class JobFailureTests : IDisposable
{
    private const int Ranks = 2;
    private const string Steps = "23";

    private static readonly Lazy<string> s_expected = new(Uninterrupted);

    private readonly TemporaryStore _store = new();

    [MachineTheory]
    [InlineData(nameof(JobPoint.Agreed), 1, 2)]
    [InlineData(nameof(JobPoint.Checked), 0, 2)]
    [InlineData(nameof(JobPoint.Captured), 1, 2)]
    [InlineData(nameof(JobPoint.Draining), 0, 2)]
    [InlineData(nameof(JobPoint.Drained), 1, 2)]
    [InlineData(nameof(JobPoint.Written), 0, 2)]
    [InlineData(nameof(JobPoint.Renamed), 0, 3)]
    [InlineData(nameof(JobPoint.Published), 0, 3)]
    [InlineData(nameof(JobPoint.Told), 1, 3)]
    [InlineData(nameof(JobPoint.LetGo), 0, 3)]
    public void A_rank_that_dies_costs_what_was_not_published(string point, int victim, int restored)
    {
        RankRun killed = Ring(point, victim);
        Assert.NotEqual(0, killed.ExitCode);
        Assert.All(Enumerable.Range(0, Ranks), rank => Assert.Single(killed.SaidBy(rank)));

        RankRun again = Ring("none", victim).Good();
        for (int rank = 0; rank < Ranks; rank++)
        {
            Assert.Equal(
                [$"from {restored} at {5 * restored} skipped 0", $"ends with {s_expected.Value}"],
                again.SaidBy(rank));
        }
    }

    [MachineFact]
    public void A_damaged_image_of_one_rank_sends_all_ranks_to_the_generation_before()
    {
        Ring("none", 0).Good();
        JobManifest manifest = JobManifestFile.Read(_store.Path)!;
        Assert.Equal([3, 4], manifest.Entries.Select(entry => entry.Generation));
        JobDamage.InNewestImage(_store.Path, rank: 1);

        RankRun again = Ring("none", 0).Good();
        for (int rank = 0; rank < Ranks; rank++)
            Assert.Equal(["from 3 at 15 skipped 1", $"ends with {s_expected.Value}"], again.SaidBy(rank));
    }

    [MachineFact]
    public void A_rank_without_its_store_ends_the_start_of_all_and_another_number_of_ranks_does()
    {
        Ring("none", 0).Good();
        RankRun more = RankRun.Of("openmpi", Ranks + 1, "ranks-ring", _store.Path, Steps, "none", "0", "0");
        Assert.NotEqual(0, more.ExitCode);
        Assert.Contains("is of a job of 2 ranks, and this one has 3.", more.Output, StringComparison.Ordinal);

        Directory.Delete(new JobPlaces(_store.Path).StoreOf(1), recursive: true);
        RankRun again = Ring("none", 0);
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains(
            "None of the 2 published generations of", again.Output, StringComparison.Ordinal);
        Assert.NotNull(JobManifestFile.Read(_store.Path));
    }

    [MachineTheory]
    [InlineData("capture", "HandlerFailed: ", "RankFailed: Rank 1 failed: ", 1)]
    [InlineData("drain", "StoreIo: ", "RankFailed: Rank 1 failed: ", 1)]
    [InlineData("manifest", "StoreIo: ", "RankFailed: Rank 0 failed: ", 0)]
    public void What_one_rank_cannot_do_all_give_up_and_the_job_goes_on(
        string what, string own, string others, int failing)
    {
        RankRun run = RankRun.Of("openmpi", Ranks, "ranks-fail", _store.Path, what).Good();
        for (int rank = 0; rank < Ranks; rank++)
        {
            string[] said = run.SaidBy(rank);
            Assert.Equal(3, said.Length);
            Assert.Equal("published 1 at 1", said[0]);
            Assert.StartsWith(rank == failing ? own : others, said[1], StringComparison.Ordinal);
            Assert.StartsWith("published ", said[2], StringComparison.Ordinal);
            Assert.EndsWith(" at 3", said[2], StringComparison.Ordinal);
        }

        Assert.Equal([1, 3], JobManifestFile.Read(_store.Path)!.Entries.Select(entry => entry.Step));
    }

    public void Dispose() => _store.Dispose();

    private static string Uninterrupted()
    {
        using TemporaryStore store = new();
        RankRun run = RankRun.Of("openmpi", Ranks, "ranks-ring", store.Path, Steps, "none", "0", "0").Good();
        string[] said = run.SaidBy(0);
        Assert.Equal("from 0 at 0 skipped 0", said[0]);
        return said[1]["ends with ".Length..];
    }

    private RankRun Ring(string point, int victim) =>
        RankRun.Of("openmpi", Ranks, "ranks-ring", _store.Path, Steps, point, $"{victim}", "3");
}
