using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>
/// Jobs of four ranks on two hosts, each with a directory of its own, of which one or both are lost: copies
/// at partners and in a shared directory bring the images back.
/// </summary>
[Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
public sealed class JobLevelTests : IDisposable
{
    private const int Ranks = 4;
    private const string Steps = "18";

    private static readonly Lazy<string> s_expected = new(Uninterrupted);

    private readonly TemporaryStore _store = new();

    [MachineFact]
    public void Any_host_may_be_lost_and_both_where_there_is_a_shared_directory()
    {
        Run("partner,shared", "13").Good();
        Assert.Equal(JobLevels.Partner | JobLevels.Shared, JobManifestFile.Read(Host(1))!.Newest!.Levels);

        // Rank 0 writes the manifest, and its host is lost; then the other one; then both.
        Lose(0);
        AssertFrom(Run("partner,shared", "13").Good(), 2, ["Partner", "Partner", "Local", "Local"]);
        Lose(1);
        AssertFrom(Run("partner", "13").Good(), 2, ["Local", "Local", "Partner", "Partner"]);
        Lose(0);
        Lose(1);
        RankRun again = Run("partner,shared", Steps).Good();
        AssertFrom(again, 2, ["Shared", "Shared", "Shared", "Shared"]);
        Assert.All(
            Enumerable.Range(0, Ranks),
            rank => Assert.Contains($"ends with {s_expected.Value}", again.SaidBy(rank)));
    }

    [MachineTheory]
    [InlineData(nameof(JobPoint.LetGo), 1, 3, 1)]
    [InlineData(nameof(JobPoint.Copied), 0, 2, 0)]
    [InlineData(nameof(JobPoint.Listed), 3, 2, 1)]
    public void A_host_that_is_lost_at_any_moment_costs_what_partners_were_not_said_to_have(
        string point, int victim, int time, int host)
    {
        Assert.NotEqual(0, Run("partner", Steps, point, victim, time).ExitCode);
        Lose(host);
        JobEntry copied = JobManifestFile.Read(Host(1 - host))!.Entries.Last(
            entry => (entry.Levels & JobLevels.Partner) != 0);
        RankRun again = Run("partner", Steps).Good();
        for (int rank = 0; rank < Ranks; rank++)
        {
            string[] said = again.SaidBy(rank);
            string from = said.First(line => line.StartsWith("from ", StringComparison.Ordinal));
            Assert.InRange(int.Parse(from.Split(' ')[1], null), copied.Generation, 3);
            Assert.Contains($"ends with {s_expected.Value}", said);
        }
    }

    [MachineFact]
    public void A_damaged_image_is_fetched_from_the_partner_and_no_generation_is_lost()
    {
        Run("partner", "13").Good();
        JobDamage.InNewestImage(Host(0), rank: 1);
        RankRun again = Run("partner", Steps).Good();
        AssertFrom(again, 2, ["Local", "Partner", "Local", "Local"]);
        Assert.All(
            Enumerable.Range(0, Ranks),
            rank => Assert.Contains($"ends with {s_expected.Value}", again.SaidBy(rank)));
        Assert.False(Directory.Exists(new JobPlaces(Host(0)).StoreOf(1) + ".aside"));
    }

    [MachineFact]
    public void Partners_need_another_host()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-levels", _store.Path, "partner", "5", "none", "0", "0");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(
            "All ranks are in the failure domain 'host-0', so no partner would survive its loss.", run.Output,
            StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(SmallDisk = true)]
    public void A_partner_whose_disk_is_full_is_told_of_and_the_job_goes_on()
    {
        using SmallDisk disk = new(560 << 10);
        Directory.CreateDirectory(Host(1));
        Directory.CreateDirectory(disk.Path);
        File.CreateSymbolicLink(new JobPlaces(Host(1)).CopyOf(0), disk.Path);
        RankRun run = Run("partner,shared", Steps).Good();
        for (int rank = 0; rank < Ranks; rank++)
        {
            string[] said = run.SaidBy(rank);
            Assert.Contains($"Partner without 3: {(rank == 2 ? "StoreIo" : "RankFailed")}", said);
            Assert.Contains("Shared has 3", said);
            Assert.Contains($"ends with {s_expected.Value}", said);
        }

        Assert.Equal(JobLevels.Shared, JobManifestFile.Read(Host(0))!.Newest!.Levels);
    }

    public void Dispose() => _store.Dispose();

    private static void AssertFrom(RankRun run, int generation, string[] levels)
    {
        for (int rank = 0; rank < Ranks; rank++)
        {
            Assert.Equal(
                [$"has its image from {levels[rank]}", $"from {generation} at {5 * generation} skipped 0"],
                run.SaidBy(rank).Take(2));
        }
    }

    private static string Uninterrupted()
    {
        using TemporaryStore store = new();
        RankRun run = RankRun.Of(
            "openmpi", Ranks, "ranks-levels", store.Path, "none", Steps, "none", "0", "0").Good();
        return run.SaidBy(0)[1]["ends with ".Length..];
    }

    private string Host(int host) => Path.Combine(_store.Path, $"host-{host}");

    private void Lose(int host) => Directory.Delete(Host(host), recursive: true);

    private RankRun Run(string levels, string steps, string point = "none", int victim = 0, int time = 0) =>
        RankRun.Of(
            "openmpi", Ranks, "ranks-levels", _store.Path, levels, steps, point, $"{victim}", $"{time}");
}
