using System.Diagnostics;
using System.Text.Json;

namespace Snapshot.Bench;

/// <summary>What one restart took, in milliseconds from the call that opens the session.</summary>
/// <param name="Fill">Eager or Lazy.</param>
/// <param name="OpenMs">Until the session is open.</param>
/// <param name="FirstReadMs">Until a value in the middle of a root was read.</param>
/// <param name="FirstStepMs">
/// Until a participant had attached, changed it, and polled: the first useful instruction.
/// </param>
/// <param name="ResidentMs">Until all memory was there.</param>
/// <param name="RuntimeMs">From the start of the process to that call.</param>
/// <param name="Bytes">Bytes restored.</param>
/// <param name="Faults">Touches that had to wait.</param>
internal sealed record RestartTimes(
    string Fill, double OpenMs, double FirstReadMs, double FirstStepMs, double ResidentMs, double RuntimeMs,
    long Bytes,
    long Faults);

/// <summary>The process that restarts.</summary>
internal static class RestartChild
{
    /// <summary>Not among the commands that help lists.</summary>
    internal const string CommandName = "restart-child";

    /// <inheritdoc cref="CommandName"/>
    internal const string TouchCommandName = "touch-child";

    internal static int Run(string store, string fill, string reading)
    {
        double runtime = (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalMilliseconds;
        SnapshotOptions options = new()
        {
            Restart = new RestartOptions { Fill = Enum.Parse<RestartFill>(fill) },
            Tuning = new SnapshotTuning { DirectIo = reading == "direct" },
        };
        long opening = Stopwatch.GetTimestamp();
        using SnapshotSession session = SnapshotSession.Open(store, options);
        double open = Since(opening);
        if (!session.OpenArena("bench").TryGetRoot("data", out ArenaArray<long> data))
            throw new InvalidOperationException("the root is not there");
        ref long cell = ref data[data.Length / 2];
        long value = cell;
        double firstRead = Since(opening);
        using (Participant me = session.Attach("bench 0"))
        {
            cell = value + 1;
            me.Poll();
        }

        double firstStep = Since(opening);
        RestartResidency residency = session.Restarted!.Residency;
        residency.Completed.GetAwaiter().GetResult();
        double all = fill == "Lazy" ? Since(opening) : open;
        Console.WriteLine(JsonSerializer.Serialize(new RestartTimes(
            fill, open, firstRead, firstStep, all, runtime, residency.BytesResident,
            residency.FaultsServed)));
        return 0;
    }

    /// <summary>
    /// What the kernel takes for memory alone: all processors touch so many fresh bytes in huge pages.
    /// Milliseconds, to standard output.
    /// </summary>
    internal static unsafe int Touch(long bytes)
    {
        using HugeMemory huge = new(bytes);
        byte* memory = huge.Pointer;
        long chunks = bytes / HugeMemory.HugePage;
        long next = -1;
        long touching = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            for (long chunk; (chunk = Interlocked.Increment(ref next)) < chunks;)
            {
                for (int offset = 0; offset < HugeMemory.HugePage; offset += PagePattern.PageBytes)
                    memory[chunk * HugeMemory.HugePage + offset] = 1;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Console.WriteLine(JsonSerializer.Serialize(Since(touching)));
        return 0;
    }

    private static double Since(long opening) => Stopwatch.GetElapsedTime(opening).TotalMilliseconds;
}
