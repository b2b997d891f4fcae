namespace Snapshot.Bench;

/// <summary>
/// A real job from its first step to its published end, killed and started again in between.
/// </summary>
/// <param name="Wall">Seconds.</param>
/// <param name="Kills">Times that it was killed.</param>
/// <param name="Starts">Seconds from a kill to the next step.</param>
internal sealed record Life(double Wall, int Kills, IReadOnlyList<double> Starts)
{
    /// <summary>Each process lives for a random time, which says nothing of how long it lived.</summary>
    internal static Life Of(
        RanksRun mpi, LivesSetup setup, string job, long bytes, long steps, Random random)
    {
        string[] arguments = RanksChild.Live(job, bytes, steps, setup.Interval);
        List<double> starts = [];
        DateTime? first = null;
        DateTime killed = default;
        int kills = 0;
        while (true)
        {
            File.Delete(RanksChild.BegunOf(job));
            DateTime started = DateTime.UtcNow;
            TimeSpan life = TimeSpan.FromSeconds(-setup.Mtbf * Math.Log(1 - random.NextDouble()));
            bool hasEnded = mpi.RunUntilKilled(setup.Ranks, life, arguments);
            FileInfo begun = new(RanksChild.BegunOf(job)), ended = new(RanksChild.EndedOf(job));
            if (begun.Exists && first is not null) starts.Add((begun.LastWriteTimeUtc - killed).TotalSeconds);
            if (begun.Exists) first ??= begun.LastWriteTimeUtc;
            if (ended.Exists && first is { } from)
                return new Life((ended.LastWriteTimeUtc - from).TotalSeconds, kills, starts);
            if (hasEnded) throw new IOException("The ranks ended before their work.");
            if (first is not null) kills++;
            killed = started + life;
        }
    }
}
