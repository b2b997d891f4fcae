using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Faults;

/// <summary>
/// Programs and tools are killed at random moments and at random calls; nothing that was acknowledged is
/// lost, what threads, fibers and native threads compute is right, and no process hangs or ends otherwise.
/// </summary>
/// <remarks>
/// More of them: <c>SNAPSHOT_SOAK_SECONDS=3600 dotnet test tests/Snapshot.Tests --filter
/// Faults.KillTests</c>, with <c>--logger "console;verbosity=detailed"</c> to see the counts.
/// </remarks>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int FindingsMax = 20;

    [Fact]
    public async Task Killed_programs_and_tools_lose_nothing_that_was_acknowledged()
    {
        using MemoryFolder folder = new();
        using KilledNativeThreads? native = KilledNativeThreads.In(folder.Path);
        ConcurrentDictionary<string, int> kills = new();
        ConcurrentQueue<string> findings = new();
        TimeSpan time = Soak.Time(0);
        int workers = Math.Max(2, Environment.ProcessorCount);
        Stopwatch watch = Stopwatch.StartNew();
        Task[] running = [.. Enumerable.Range(0, workers).Select(worker => Task.Factory.StartNew(
            () =>
            {
                Random random = new(FaultSeed.Value * 1000 + worker);
                KillRun run = new(folder.Path, native, random, kills, findings);
                int turn = worker;
                do run.Kill(turn++);
                while (watch.Elapsed < time && findings.Count < FindingsMax);
            },
            TaskCreationOptions.LongRunning))];
        await Task.WhenAll(running);

        output.WriteLine(
            $"{kills.Values.Sum()} kills in {watch.Elapsed.TotalSeconds:F0} s, seed {FaultSeed.Value}: " +
            string.Join(
                ", ", kills.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key} {entry.Value}")));
        Assert.True(findings.IsEmpty, string.Join('\n', findings));
        Assert.True(kills.Values.Sum() > 0, "nothing was killed");
    }
}
