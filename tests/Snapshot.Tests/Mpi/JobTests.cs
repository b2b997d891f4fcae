using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using HeatRanks;
using Microsoft.CodeAnalysis;
using Snapshot.Mpi;
using Snapshot.Mpi.Calls;
using Snapshot.Tests.Faults;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>Jobs of ranks on both families of MPI.</summary>
public sealed class JobTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    [MachineTheory]
    [InlineData(4, RestartFill.Eager)]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public Task Killed_at_random_a_job_of_Open_MPI_comes_to_the_same_bits(int ranks, RestartFill fill) =>
        Kill("openmpi", ranks, fill);

    [MachineTheory]
    [InlineData(2, RestartFill.Lazy)]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public Task Killed_at_random_a_job_of_MPICH_comes_to_the_same_bits(int ranks, RestartFill fill) =>
        Kill("mpich", ranks, fill);

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public Task Killed_with_whole_hosts_and_their_disks_it_comes_to_the_same_bits() =>
        Kill("mpich", ranks: 2, RestartFill.Eager, hosts: 2);

    public static TheoryData<int, string, string> Blocks() => CodeBlocks.Of("docs/RANKS.md");

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_program_of_the_document_compiles(int line, string mark, string code)
    {
        FiberSnippet snippet = new(
            [code], kind: OutputKind.ConsoleApplication, allowsUnsafe: false, usesLibrary: false);
        Assert.True(snippet.Errors.Count == 0, $"line {line} {mark}: {string.Join('\n', snippet.Errors)}");
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Under_Open_MPI_null_references_are_exceptions() => CatchFaults("openmpi");

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public void Under_MPICH_null_references_are_exceptions() => CatchFaults("mpich");

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public void A_library_of_another_MPI_than_that_of_mpirun_is_refused()
    {
        string library = Path.Combine(_store.Path, "other.so");
        Directory.CreateDirectory(_store.Path);
        MpiCompiler.Build(MpiCommands.Find("openmpi").Compile, library);
        RankRun run = RankRun.Of(
            "mpich", [("SNAPSHOT_MPI", library)], 2, "ranks-apart", Path.Combine(_store.Path, "job"),
            "steps");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(
            "2 processes were started (PMI_SIZE), but", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "job")));
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Tasks_of_srun_that_MPI_does_not_know_are_refused_and_mpirun_counts_first()
    {
        ProcessStartInfo alone = new(
            "dotnet",
            [
                "exec", Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll"), "ranks-twice",
                _store.Path,
            ]);
        alone.Environment["SLURM_STEP_NUM_TASKS"] = "2";
        alone.Environment["MPICC"] = MpiCommands.Find("openmpi").Compile;
        ProgramResult refused = Repository.Run(alone);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(
            "2 processes were started (SLURM_STEP_NUM_TASKS), but", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Path));
        RankRun.Of("openmpi", [("SLURM_STEP_NUM_TASKS", "2")], 1, "ranks-twice", _store.Path).Good();
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Ranks_that_poll_at_other_steps_are_told_both()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-apart", _store.Path, "steps");
        for (int rank = 0; rank < 2; rank++)
        {
            string said = Assert.Single(run.SaidBy(rank));
            Match steps = Regex.Match(
                said, @"^OutOfStep: One rank polled at step (\d+) when another did at step (\d+)\.");
            Assert.True(steps.Success, said);
            Assert.InRange(long.Parse(steps.Groups[1].Value, CultureInfo.InvariantCulture), 7, 14);
            Assert.Equal(
                long.Parse(steps.Groups[1].Value, CultureInfo.InvariantCulture) + 1,
                long.Parse(steps.Groups[2].Value, CultureInfo.InvariantCulture));
        }
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_rank_that_closes_while_another_goes_on_is_an_error_for_that_one()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-apart", _store.Path, "closing");
        Assert.StartsWith(
            $"{SnapshotErrorCode.OutOfStep}: One rank is in Poll when another is in Dispose, after step ",
            Assert.Single(run.SaidBy(0)), StringComparison.Ordinal);
        Assert.Empty(run.SaidBy(1));
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_rank_that_takes_a_checkpoint_while_another_polls_is_an_error_for_both()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-apart", _store.Path, "calls");
        for (int rank = 0; rank < 2; rank++)
        {
            Assert.StartsWith(
                "OutOfStep: One rank is in Poll when another is in Checkpoint, after step ",
                Assert.Single(run.SaidBy(rank)), StringComparison.Ordinal);
        }
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_call_of_MPI_that_fails_is_an_error_with_its_words()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-apart", _store.Path, "longer").Good();
        Assert.Empty(run.SaidBy(0));
        Assert.StartsWith(
            $"{SnapshotErrorCode.Mpi}: MPI_Irecv failed: MPI_ERR_TRUNCATE", Assert.Single(run.SaidBy(1)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_does_not_call_MPI_is_refused_by_its_name()
    {
        Directory.CreateDirectory(_store.Path);
        string garbage = Path.Combine(_store.Path, "garbage.so");
        File.WriteAllText(garbage, "nothing of the kind");
        string other = Path.Combine(AppContext.BaseDirectory, "libsnapshot_native.so");
        foreach ((string file, string why) in ((string, string)[])
            [(garbage, "cannot be loaded: "), (other, "is not usable: it has no snm_calls.")])
        {
            SnapshotException error = Assert.Throws<SnapshotException>(() => MpiLibrary.Start(file));
            Assert.Equal((SnapshotErrorCode.NativeLibrary, file), (error.Code, error.Path));
            Assert.StartsWith($"'{file}' {why}", error.Message, StringComparison.Ordinal);
            Assert.EndsWith("'snapshot mpi build' makes it anew.", error.Message, StringComparison.Ordinal);
        }
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_second_job_of_a_process_in_which_MPI_has_ended_is_refused()
    {
        RankRun run = RankRun.Of("openmpi", 1, "ranks-twice", _store.Path).Good();
        Assert.StartsWith(
            "Unsupported: MPI begins and ends once in a process", Assert.Single(run.SaidBy(0)),
            StringComparison.Ordinal);
    }

    [MachineTheory]
    [InlineData("openmpi")]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_message_that_nobody_received_refuses_the_checkpoint_on_all_ranks(string family)
    {
        RankRun run = RankRun.Of(family, 2, "ranks-apart", _store.Path, "message").Good();
        const string Message = "Rank 1 has not received a message from rank 0 with tag 42 (24 bytes).";
        Assert.StartsWith(
            $"{SnapshotErrorCode.RankFailed}: Rank 1 failed: {Message}", run.SaidBy(0)[0],
            StringComparison.Ordinal);
        Assert.StartsWith(
            $"{SnapshotErrorCode.OpenMessage}: {Message}", run.SaidBy(1)[0], StringComparison.Ordinal);
        for (int rank = 0; rank < 2; rank++) Assert.Equal("published 1", run.SaidBy(rank)[1]);
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_rank_that_polls_in_a_blocked_region_refuses_the_checkpoint_for_all()
    {
        RankRun run = RankRun.Of("openmpi", 2, "ranks-apart", _store.Path, "blocked");
        Assert.StartsWith(
            "RankFailed: Rank 1 failed: MpiJob polls in a blocked region.",
            run.SaidBy(0)[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "MpiJob polls in a blocked region. Leave it first", run.SaidBy(1)[0], StringComparison.Ordinal);
        for (int rank = 0; rank < 2; rank++) Assert.Equal("published 1", run.SaidBy(rank)[^1]);
    }

    [MachineTheory]
    [InlineData("signal")]
    [InlineData("limit")]
    [InlineData("batch")]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Asked_to_end_all_ranks_leave_at_the_same_step_and_go_on_from_there(string by)
    {
        RankRun first = RankRun.Of("openmpi", 2, "ranks-ends", _store.Path, by);
        Assert.Equal(MpiJob.RunMeAgain, first.ExitCode);
        RankRun second = RankRun.Of("openmpi", 2, "ranks-ends", _store.Path, by);
        Assert.Equal(MpiJob.RunMeAgain, second.ExitCode);
        for (int rank = 0; rank < 2; rank++)
        {
            Assert.Equal(["from 0 at 0", "ends at 0"], first.SaidBy(rank));
            Assert.Matches("^from 1 at [1-9][0-9]*$", second.SaidBy(rank)[0]);
        }
    }

    public void Dispose() => _store.Dispose();

    private async Task Kill(string family, int ranks, RestartFill fill, int hosts = 1)
    {
        int kills = Soak.IsLong ? 40 : 2;
        RankOptions options = new(
            Size: 256, Steps: Soak.IsLong ? 40_000 : 6_000, EverySteps: 100, fill, _store.Path)
        { Hosts = hosts };
        RanksReport report = await new RanksDemo(
            MpiCommands.Find(family), RankProgram.CSharp, ranks, kills, FaultSeed.Value, options)
            .RunAsync(static _ => { });
        Assert.Equal(report.ExpectedChecksum, report.Checksum);
        Assert.Equal(kills, report.Kills);
        Assert.True(report.Generations > 0, $"{report}");
    }

    private void CatchFaults(string family)
    {
        RankRun run = RankRun.Of(family, 2, "ranks-faults", _store.Path).Good();
        Assert.Equal(["after: caught 2"], run.SaidBy(1));
        Assert.Equal(2, run.SaidBy(0).Count(line => line == "before: caught 2"));
        Assert.Equal(1, run.SaidBy(0).Count(line => line == "after: caught 2"));
    }
}
