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
    private int _hostsLost;
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
            HostsLost = _hostsLost,
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
        bool isKilled = await Task.WhenAny(end, isTime).ConfigureAwait(false) == isTime;
        int host = options.Hosts > 1 && _random.Next(2) == 0 ? _random.Next(options.Hosts) : -1;
        if (isKilled) isKilled = host < 0 ? job.KillOne(_random) : job.KillHost(host, options.Hosts);
        int code = await end.ConfigureAwait(false);
        if (isKilled && code != 0)
        {
            _killed++;
            TakeGenerations();
            if (host >= 0 && PartnersHaveOne(host))
            {
                Directory.Delete(Path.GetDirectoryName(options.JobDirectoryOf(host))!, recursive: true);
                _hostsLost++;
                say($"Took a host with its disk: {_killed} of {kills} kills, {_generations} generations.");
                return;
            }

            say($"Killed a rank: {_killed} of {kills} kills, {_generations} generations.");
            return;
        }

        await SucceedAsync(job).ConfigureAwait(false);
        Directory.Delete(options.Directory, recursive: true);
    }

    private void TakeGenerations() =>
        _generations = Manifests().Select(manifest => manifest.Newest!.Generation).DefaultIfEmpty(0).Max();

    /// <summary>
    /// Whether a host may go with its disk: the others know of a generation that partners have. Before that
    /// the job would begin from the beginning.
    /// </summary>
    private bool PartnersHaveOne(int host) => Manifests(but: host).Any(manifest =>
        manifest.Entries.Any(entry => entry.Levels.HasFlag(JobLevels.Partner)));

    private IEnumerable<JobManifest> Manifests(int but = -1) => Enumerable.Range(0, options.Hosts)
        .Where(host => host != but).Select(host => options.JobDirectoryOf(host)).Where(Directory.Exists)
        .Select(JobManifestFile.Read).OfType<JobManifest>();
}
