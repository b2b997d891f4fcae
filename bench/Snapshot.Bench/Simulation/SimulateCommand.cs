using System.CommandLine;
using System.Globalization;

namespace Snapshot.Bench;

/// <summary>The command line of the simulation.</summary>
internal sealed class SimulateCommand
{
    internal const string Auto = "auto", Young = "young", Daly = "daly";

    private const double SecondsOfHour = 3600;

    private readonly Option<int[]> _ranks = SharedOptions
        .Several("--ranks", "Ranks of the job; rows each.", 1000, 10_000, 100_000)
        .RequireEach(count => count is >= 1 and <= 10_000_000, "1 to 10000000");

    private readonly Option<string[]> _levels = Levels();
    private readonly Option<int> _perHost =
        SharedOptions.Number("--ranks-per-host", "Ranks of one host.", 8, 1, 10_000);
    private readonly Option<double> _mtbf = Time(
        "--host-mtbf", "Hours between failures of one host, at a mean.", 5 * 8766);
    private readonly Option<double> _keeps = Percent(
        "--keeps-disk", "Percent of the failures after which the host is there with its disk.", 50);
    private readonly Option<double> _pair = Percent(
        "--loses-pair", "Percent of the others in which the partner is lost, too.", 2);
    private readonly Option<double> _work = Time("--work", "Hours that the job computes.", 168);
    private readonly Option<string> _interval = Interval();
    private readonly Option<double> _felt = Time(
        "--felt", "Seconds that a checkpoint takes from the program.", 0.05);
    private readonly Option<double> _publish = Time(
        "--publish", "Seconds from the capture until a generation is published.", 10);
    private readonly Option<double> _copy = Time(
        "--copy", "Seconds from then until partners have it.", 20);
    private readonly Option<double> _renew = Time(
        "--renew", "Seconds from a restart until the copies of a lost disk are whole again.", 60);
    private readonly Option<double> _copyShared = Time(
        "--copy-shared",
        "Seconds from the publication until a generation is in the shared directory, for each 1,000 ranks, " +
        "which share its bandwidth; at least --copy.", 4);
    private readonly Option<int> _sharedEvery = SharedOptions.Number(
        "--shared-every", "Every how many generations one is copied to the shared directory.", 20, 1,
        100_000);
    private readonly Option<double> _restartOwn = Time(
        "--restart-own", "Seconds of a restart from own disks, with the start of the ranks.", 20);
    private readonly Option<double> _restartPartner = Time(
        "--restart-partner", "Seconds of one where a host has to fetch from its partner.", 40);
    private readonly Option<double> _restartShared = Time(
        "--restart-shared",
        "Seconds of one from the shared directory, for each 1,000 ranks; at least --restart-partner.", 4);
    private readonly Option<double> _replace = Time(
        "--replace", "Seconds until a host whose disk is lost is replaced.", 120);
    private readonly Option<int> _repetitions = SharedOptions.Number(
        "--repetitions", "Lives of each job, with failures of their own.", 100, 2, 100_000);
    private readonly Option<int> _seed = SharedOptions.Number(
        "--seed", "Of the failures: the same seed, the same table.", 1, 0, int.MaxValue);
    private readonly Option<double> _giveUp = Time(
        "--give-up", "A job is given up after so many times the time that it computes.", 10);

    private SimulateCommand()
    {
    }

    internal static BenchCommand Create() => new SimulateCommand().ToCommand();

    private BenchCommand ToCommand() => new(
        "simulate",
        "What fraction of a machine computes whose hosts fail, by events of a simulated job; not measured.",
        [
            _ranks, _levels, _perHost, _mtbf, _keeps, _pair, _work, _interval, _felt, _publish, _copy,
            _renew, _copyShared, _sharedEvery, _restartOwn, _restartPartner, _restartShared, _replace,
            _repetitions, _seed, _giveUp,
        ],
        (result, run) => SimulationReport.Of(
        [
            .. from ranks in result.GetValue(_ranks)!
               from levels in result.GetValue(_levels)!
               select Simulate(result, run, ranks, levels),
        ]))
    { IsTimed = false };

    private SimulationRow Simulate(ParseResult result, BenchRun run, int ranks, string levels)
    {
        run.Say($"{ranks} ranks, {levels}");
        SimulatedJob job = SimulatedLevels.Of(levels, JobOf(result, ranks));
        if (job.Publish < job.Felt)
        {
            throw new RequirementException(
                "A generation cannot be published before the program goes on", "choose a longer --publish.");
        }

        job = job with { Interval = IntervalOf(result.GetValue(_interval)!, job) };
        return new SimulationRow(
            ranks, levels, new SimulationRuns(job, result.GetValue(_repetitions), result.GetValue(_seed)));
    }

    private SimulatedJob JobOf(ParseResult result, int ranks)
    {
        double work = result.GetValue(_work) * SecondsOfHour;
        double copy = result.GetValue(_copy), restart = result.GetValue(_restartPartner);
        return new SimulatedJob
        {
            Hosts = (ranks + result.GetValue(_perHost) - 1) / result.GetValue(_perHost),
            HostMtbf = result.GetValue(_mtbf) * SecondsOfHour,
            KeepsDisk = result.GetValue(_keeps) / 100,
            LosesPair = result.GetValue(_pair) / 100,
            Work = work,
            Interval = work,
            Felt = result.GetValue(_felt),
            Publish = result.GetValue(_publish),
            PartnerCopy = copy,
            Renew = result.GetValue(_renew),
            SharedEvery = result.GetValue(_sharedEvery),
            SharedCopy = Math.Max(copy, result.GetValue(_copyShared) * ranks / 1000),
            RestartOwn = result.GetValue(_restartOwn),
            RestartPartner = restart,
            RestartShared = Math.Max(restart, result.GetValue(_restartShared) * ranks / 1000),
            Replace = result.GetValue(_replace),
            Limit = work * result.GetValue(_giveUp),
        };
    }

    /// <summary>As <see cref="CheckpointInterval.Auto"/> has it, or by one formula, or as told.</summary>
    private static double IntervalOf(string word, SimulatedJob job) => word switch
    {
        Auto => Math.Max(CheckpointFormulas.Young(job.Felt, job.Mtbf), 2 * job.Publish),
        Young => CheckpointFormulas.Young(job.Felt, job.Mtbf),
        Daly => CheckpointFormulas.Daly(job.Felt, job.Mtbf),
        _ => double.Parse(word, CultureInfo.InvariantCulture),
    };

    private static Option<string[]> Levels()
    {
        Option<string[]> option = SharedOptions.Several(
            "--levels",
            "Where images are: own disks, with the shared directory, with partners, with both; or stopped, " +
            "the shared directory alone, written while the program stands still. Rows each.",
            SimulatedLevels.All);
        option.AcceptOnlyFromAmong(SimulatedLevels.All);
        return option;
    }

    private static Option<string> Interval() => new Option<string>("--interval")
    {
        Description =
            $"Seconds computed between checkpoints, or {Young} or {Daly} for their formula, or {Auto}: " +
            "Young's, and at least twice --publish, as CheckpointInterval.Auto has it.",
        DefaultValueFactory = _ => Auto,
    }.Require(
        word => word is Auto or Young or Daly || double.TryParse(
            word, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds > 0,
        $"{Auto}, {Young}, {Daly}, or seconds");

    private static Option<double> Percent(string name, string description, double value) =>
        new Option<double>(name) { Description = description, DefaultValueFactory = _ => value }
            .Require(percent => percent is >= 0 and <= 100, "0 to 100");

    private static Option<double> Time(string name, string description, double value) =>
        new Option<double>(name) { Description = description, DefaultValueFactory = _ => value }
            .Require(time => time is > 0 and < 1e9, "more than 0");
}
