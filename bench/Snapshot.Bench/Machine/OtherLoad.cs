using System.Globalization;

namespace Snapshot.Bench;

/// <summary>How much of the processors other processes take: figures of a busy machine say little.</summary>
internal static class OtherLoad
{
    /// <summary>Processors that others may take; a second process that computes takes one.</summary>
    internal const double ProcessorsMost = 0.25;

    private const double TicksPerSecond = 100;

    /// <summary>Looks for a second.</summary>
    internal static double Measure()
    {
        OtherLoadLook before = Look();
        Thread.Sleep(1000);
        return Between(before, Look());
    }

    /// <summary>Processors that others took between two looks.</summary>
    internal static double Between(OtherLoadLook before, OtherLoadLook after)
    {
        double seconds = (after.Time - before.Time).TotalSeconds;
        double all = BusySeconds(after.Stat) - BusySeconds(before.Stat);
        return Math.Max(0, (all - (after.Own - before.Own).TotalSeconds) / seconds);
    }

    /// <exception cref="RequirementException">Others take more than figures bear.</exception>
    internal static void ThrowIfBusy(double processors)
    {
        if (processors <= ProcessorsMost) return;
        string taken = processors.ToString("F1", CultureInfo.InvariantCulture);
        throw new RequirementException(
            $"Other processes take {taken} of {Environment.ProcessorCount} processors, which changes every " +
            "figure",
            "wait until they have ended, or measure all the same with --busy.");
    }

    private static OtherLoadLook Look() => new(
        File.ReadLines("/proc/stat").First(), Environment.CpuUsage.TotalTime,
        TimeSpan.FromMilliseconds(Environment.TickCount64));

    /// <summary>
    /// User, nice, system, interrupts, soft interrupts and what the host took; not idle and waiting.
    /// </summary>
    private static double BusySeconds(string stat)
    {
        long[] ticks =
        [
            .. stat.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
                .Select(text => long.Parse(text, CultureInfo.InvariantCulture)),
        ];
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / TicksPerSecond;
    }
}

/// <summary>The processors at a moment.</summary>
/// <param name="Stat">The first line of /proc/stat.</param>
/// <param name="Own">Processor time of this process.</param>
/// <param name="Time">The moment.</param>
internal readonly record struct OtherLoadLook(string Stat, TimeSpan Own, TimeSpan Time);
