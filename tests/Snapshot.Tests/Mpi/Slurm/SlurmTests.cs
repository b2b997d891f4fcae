using System.Diagnostics;
using HeatRanks;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Mpi.Slurm;

/// <summary>
/// The batch scripts of samples/slurm with a real Slurm: however often a job is interrupted, its result is
/// that of an uninterrupted run, bit for bit. <c>SNAPSHOT_SLURM=1 dotnet test tests/Snapshot.Tests --filter
/// SlurmTests</c>.
/// </summary>
public sealed class SlurmTests(SlurmMachine slurm, ITestOutputHelper output) : IClassFixture<SlurmMachine>
{
    private const int Ranks = 2;

    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(120);

    private static readonly MpiCommands s_mpi = MpiCommands.Find("openmpi");

    private static readonly RankProgram s_program = RankProgram.In(RankProgram.CSharp, s_mpi);

    [SlurmFact]
    public async Task At_its_time_limit_a_job_is_queued_again_until_it_is_done()
    {
        RankOptions options = await OptionsOf("limit", Ranks);
        Stopwatch time = Stopwatch.StartNew();
        int job = slurm.Submit(
            "limit", [$"--ntasks={Ranks}", "--time=2", "--signal=B:USR1@75"],
            Script("time-limit.sh", options));
        int restarts = slurm.WaitUntilDone($"{job}", "limit");
        Say("limit", restarts, time);
        Assert.InRange(restarts, 1, 99);
        await AssertEqual(options, Ranks);
    }

    [SlurmFact]
    public async Task Preempted_a_job_is_queued_again_and_goes_on_from_where_it_was()
    {
        RankOptions options = await OptionsOf("preempted", Ranks) with { IsBatch = true };
        Stopwatch time = Stopwatch.StartNew();
        int job = slurm.Submit(
            "preempted", [$"--ntasks={Ranks}", "--time=60", "--partition=common"],
            Script("preemption.sh", options));
        SlurmMachine.WaitUntil(
            () => Said("preempted").Length > 0 || SlurmMachine.IsOver(slurm.Show($"{job}")),
            () => "nothing was said");
        Assert.StartsWith("from generation 0", Said("preempted"), StringComparison.Ordinal);
        int urgent = slurm.Submit(
            "urgent", [$"--ntasks={Ranks}", "--time=1", "--partition=urgent"], ["--wrap", "date"]);
        slurm.WaitUntilDone($"{urgent}", "urgent");
        Assert.Contains("ends at step ", Said("preempted"), StringComparison.Ordinal);
        output.WriteLine($"the urgent job was done after {time.Elapsed.TotalSeconds:F0} s");
        int restarts = slurm.WaitUntilDone($"{job}", "preempted");
        Say("preempted", restarts, time);
        Assert.Equal(1, restarts);
        Assert.Contains("from generation 1, step ", Said("preempted"), StringComparison.Ordinal);
        await AssertEqual(options, Ranks);
    }

    [SlurmFact]
    public async Task Tasks_of_an_array_end_before_their_time_is_up_and_are_queued_again_each()
    {
        RankOptions options = await OptionsOf("array", 1) with
        {
            IsBatch = true,
            Margin = TimeSpan.FromSeconds(90),
        };
        Stopwatch time = Stopwatch.StartNew();
        int job = slurm.Submit("array-%a", ["--time=2", "--array=1-2"], Script("array.sh", options));
        foreach (int task in (int[])[1, 2])
        {
            int restarts = slurm.WaitUntilDone($"{job}_{task}", $"array-{task}");
            Say($"array-{task}", restarts, time);
            Assert.InRange(restarts, 1, 99);
            await AssertEqual(options with { Directory = Path.Combine(options.Directory, $"{task}") }, 1);
        }
    }

    /// <summary>Steps that take longer than the time until the first interruption.</summary>
    private async Task<RankOptions> OptionsOf(string name, int ranks)
    {
        RankOptions options = new(
            Size: 512, Steps: 10_000, EverySteps: 0, RestartFill.Eager,
            Path.Combine(slurm.Root, $"{name}-first"));
        TimeSpan took = await RunAsync(options, ranks);
        return options with
        {
            Steps = (long)(options.Steps * (s_long / took)),
            Directory = Path.Combine(slurm.Root, name),
        };
    }

    private static async Task AssertEqual(RankOptions options, int ranks)
    {
        RankOptions uninterrupted = options with
        {
            Directory = $"{options.Directory}-expected",
            IsBatch = false,
        };
        await RunAsync(uninterrupted, ranks);
        Assert.Equal(RanksReport.ChecksumOf(uninterrupted, ranks), RanksReport.ChecksumOf(options, ranks));
    }

    /// <summary>How long the ranks computed; what they took to begin is not in it.</summary>
    private static async Task<TimeSpan> RunAsync(RankOptions options, int ranks)
    {
        using JobRun job = JobRun.Start(s_mpi, ranks, s_program, options);
        await job.Started;
        Stopwatch time = Stopwatch.StartNew();
        int code = await job.EndAsync();
        Assert.True(code == 0, await job.SaidAsync());
        return time.Elapsed;
    }

    /// <summary>A script of the sample, the directory, and the program, which is given it.</summary>
    private static string[] Script(string name, RankOptions options) =>
    [
        Path.Combine(Repository.Root, "samples/slurm", name), options.Directory, .. s_program.Command,
        .. options.ToArguments()[..^2],
    ];

    private string Said(string name) =>
        File.Exists(slurm.Output(name)) ? File.ReadAllText(slurm.Output(name)) : "";

    private void Say(string name, int restarts, Stopwatch time) =>
        output.WriteLine(
            $"{name}: queued again {restarts} times, done after {time.Elapsed.TotalSeconds:F0} s\n" +
            Said(name));
}
