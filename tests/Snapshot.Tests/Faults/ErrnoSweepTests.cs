using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Faults;

/// <summary>
/// A whole life of a store with one call below .NET failing: each errno of the call's manual page, at each
/// call.
/// </summary>
/// <remarks>
/// By default what is made of memory that is not there, since mapping, tracking and closing follow no script,
/// and a sample of the others, another one for another SNAPSHOT_FAULT_SEED. All of it, or as much as the time
/// allows: <c>SNAPSHOT_SOAK_SECONDS=3600 dotnet test tests/Snapshot.Tests --filter ErrnoSweepTests</c>, with
/// <c>--logger "console;verbosity=detailed"</c> to see the counts.
/// </remarks>
public sealed class ErrnoSweepTests(ITestOutputHelper output)
{
    private const int Batch = 40;
    private const int Sample = 40;

    [Fact]
    public void Each_error_at_each_call_of_a_life_is_told_or_survived_and_loses_nothing()
    {
        Dictionary<string, long> calls = FaultedLives.Count();
        Fault[] faults = [.. Fault.All(calls)];
        int seed = FaultSeed.Value;
        new Random(seed).Shuffle(faults);
        faults = [.. faults.OrderBy(fault => !fault.IsAlwaysTried)];
        TimeSpan time = Soak.Time(0);
        int most = time > TimeSpan.Zero ? faults.Length : faults.Count(fault => fault.IsAlwaysTried) + Sample;
        FaultedLives lives = new();
        Stopwatch watch = Stopwatch.StartNew();
        for (int at = 0; at < most && (time == TimeSpan.Zero || watch.Elapsed < time); at += Batch)
            lives.Run(faults[at..Math.Min(at + Batch, most)]);

        output.WriteLine(
            $"calls of a life: {string.Join(", ", calls.Select(entry => $"{entry.Key} {entry.Value}"))}");
        output.WriteLine(
            $"{lives.Lives} of {faults.Length} faults, seed {seed}, {watch.Elapsed.TotalSeconds:F0} s");
        foreach (string line in lives.Table) output.WriteLine(line);
        Assert.True(lives.Hit > lives.Lives / 2, "most faults hit nothing");
        Assert.True(lives.Findings.Count == 0, string.Join('\n', lives.Findings));
    }
}
