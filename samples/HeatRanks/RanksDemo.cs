using System.Diagnostics;
using KillDemo;
using Snapshot.Mpi.Manifest;

namespace HeatRanks;

/// <summary>
/// The demo: the job without interruption, then the same job with a random rank killed at random moments,
/// started anew each time; then the comparison.
/// </summary>
internal sealed class RanksDemo(
    MpiCommands mpi, string language, int ranks, int kills, int seed, RankOptions options)
{
    /// <summary>Runs that may end before their moment comes, for each kill asked for.</summary>
    private const int RunsPerKillMax = 20;

    private readonly Random _random = new(seed);
    private int _killed;
    private long _generations;

    /// <exception cref="RunException">A run failed otherwise than by being killed.</exception>
    internal async Task<RanksReport> RunAsync(Action<string> say)
    {
        Stopwatch time = Stopwatch.StartNew();
        using RankProgram program = RankProgram.In(language, mpi);
        say($"Running {ranks} ranks of {mpi.Family} once without interruption …");
        (ulong expected, TimeSpan took) = await RunReferenceAsync(program).ConfigureAwait(false);

        say($"Running them again, with {kills} kills of a random rank (seed {seed}) …");
        for (int runs = 0; _killed < kills; runs++)
        {
            if (runs == kills * RunsPerKillMax)
                throw new RunException(
                    $"{runs} runs gave too little time for {kills} kills; give it more --steps.");
            await RunAndKillAsync(program, took / (kills + 1), say).ConfigureAwait(false);
        }

        await RunToEndAsync(program).ConfigureAwait(false);
        TakeGenerations();
        ulong result = RanksReport.ChecksumOf(options, ranks);
        return new RanksReport
        {
            Equal = result == expected,
            Checksum = $"{result:x16}",
            ExpectedChecksum = $"{expected:x16}",
            Mpi = mpi.Family,
            Language = language,
            Ranks = ranks,
            Kills = _killed,
            Generations = _generations,
            Seconds = Math.Round(time.Elapsed.TotalSeconds, 1),
        };
    }

    private async Task<(ulong Checksum, TimeSpan Took)> RunReferenceAsync(RankProgram program)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-reference-");
        try
        {
            RankOptions uninterrupted = options with { Directory = directory.FullName, EverySteps = 0 };
            using JobRun job = JobRun.Start(mpi, ranks, program, uninterrupted);
            await job.Started.ConfigureAwait(false);
            Stopwatch time = Stopwatch.StartNew();
            await SucceedAsync(job).ConfigureAwait(false);
            return (RanksReport.ChecksumOf(uninterrupted, ranks), time.Elapsed);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private async Task RunToEndAsync(RankProgram program)
    {
        using JobRun job = JobRun.Start(mpi, ranks, program, options);
        await SucceedAsync(job).ConfigureAwait(false);
    }

    private static async Task SucceedAsync(JobRun job)
    {
        int code = await job.EndAsync().ConfigureAwait(false);
        if (code == 0) return;
        throw new RunException(
            $"The job ended with exit code {code}: {await job.SaidAsync().ConfigureAwait(false)}");
    }

    /// <summary>
    /// One run, in which a rank is killed; where it is over before, the next one begins from the beginning.
    /// </summary>
    private async Task RunAndKillAsync(RankProgram program, TimeSpan span, Action<string> say)
    {
        using JobRun job = JobRun.Start(mpi, ranks, program, options);
        Task<int> end = job.EndAsync();

        // One kill in six falls into the start: into the restart of all ranks.
        if (_random.Next(6) > 0) await job.Started.ConfigureAwait(false);
        Task isTime = Task.Delay(span * (2 * _random.NextDouble()));
        bool isKilled =
            await Task.WhenAny(end, isTime).ConfigureAwait(false) == isTime && job.KillOne(_random);
        int code = await end.ConfigureAwait(false);
        if (isKilled && code != 0)
        {
            _killed++;
            TakeGenerations();
            say($"Killed a rank: {_killed} of {kills} kills, {_generations} generations.");
            return;
        }

        await SucceedAsync(job).ConfigureAwait(false);
        Directory.Delete(options.Directory, recursive: true);
    }

    private void TakeGenerations() =>
        _generations = JobManifestFile.Read(options.JobDirectory)?.Newest?.Generation ?? 0;
}
