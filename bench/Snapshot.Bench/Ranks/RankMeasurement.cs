using System.Diagnostics;
using Snapshot.Mpi;

namespace Snapshot.Bench;

/// <summary>
/// Steps without checkpoints and steps with one, in turns, on all ranks alike; rank 0 asks and takes the
/// times.
/// </summary>
internal sealed class RankMeasurement
{
    private const int StepsBetweenLooks = 5;

    private readonly MpiJob _job;
    private readonly RankState _state;
    private readonly RankCopies _copies;
    private readonly JobLevel[] _levels;

    /// <param name="job">Just opened.</param>
    /// <param name="state">Of this rank, in the job.</param>
    /// <param name="copies">Told by the job.</param>
    /// <param name="levels">To which it copies.</param>
    internal RankMeasurement(MpiJob job, RankState state, RankCopies copies, JobLevel[] levels)
    {
        (_job, _state, _copies, _levels) = (job, state, copies, levels);
    }

    internal RanksTimes Run(int rounds)
    {
        using Participant me = _job.Session.Attach("main");
        Advance(RankState.StepsThatWriteAll);
        Take(1); // a full one
        int steps = Math.Max(RankState.StepsThatWriteAll, Take(RankState.StepsThatWriteAll).Steps * 3 / 2);
        List<Taken> taken = [];
        List<double> without = [];
        for (int round = 0; round < rounds; round++)
        {
            without.Add(Advance(steps));
            taken.Add(Take(steps));
        }

        return new RanksTimes(
            Figures.Median(without) / steps,
            Figures.Median(taken.Zip(without, (with, plain) => with.Ms - plain)),
            Figures.Median(taken.Select(one => one.PublishedMs)),
            TimesOf(JobLevel.Partner, taken), TimesOf(JobLevel.Shared, taken));
    }

    /// <summary>So many steps with a checkpoint that is asked for before them, and more until it is on all
    /// levels.</summary>
    private Taken Take(int steps)
    {
        long asked = Stopwatch.GetTimestamp(), before = _state.Steps;
        Task<(long Generation, double Ms)>? published = _job.Communicator.Rank == 0
            ? PublishedAsync(asked)
            : null;
        double ms = Advance(steps);
        while (AnyRank(published is { IsCompleted: false })) Advance(StepsBetweenLooks);
        long generation = (long)_job.Communicator.Max(published?.Result.Generation ?? 0);
        while (AnyRank(_levels.Any(level => _copies[level].Generation < generation)))
            Advance(StepsBetweenLooks);
        return new Taken(
            ms, published?.Result.Ms ?? 0, (int)(_state.Steps - before),
            [.. _levels.Select(level => (
                Stopwatch.GetElapsedTime(asked, _copies[level].At).TotalMilliseconds,
                (long)_job.Communicator.Sum(_copies[level].Bytes)))]);
    }

    private async Task<(long Generation, double Ms)> PublishedAsync(long asked)
    {
        JobGeneration published = await _job.RequestCheckpoint().ConfigureAwait(false);
        return (published.Generation, Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
    }

    private bool AnyRank(bool holds) => _job.Communicator.Max(holds ? 1 : 0) > 0;

    /// <summary>Milliseconds of so many steps, from all ranks together to all together.</summary>
    private double Advance(int steps)
    {
        _job.Communicator.Barrier();
        long begun = Stopwatch.GetTimestamp();
        for (int step = 0; step < steps; step++) _state.Step();
        _job.Communicator.Barrier();
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    private LevelTimes? TimesOf(JobLevel level, List<Taken> taken)
    {
        int index = Array.IndexOf(_levels, level);
        return index < 0 ? null : new LevelTimes(
            Figures.Median(taken.Select(one => one.Copies[index].Ms)), taken[^1].Copies[index].Bytes);
    }

    /// <summary>A checkpoint: steps from asking for it, and what they took of them that were to be timed.
    /// </summary>
    private sealed record Taken(double Ms, double PublishedMs, int Steps, (double Ms, long Bytes)[] Copies);
}
