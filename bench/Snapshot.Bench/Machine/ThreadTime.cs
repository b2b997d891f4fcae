using System.Diagnostics;
using System.Globalization;

namespace Snapshot.Bench;

/// <summary>Where the time of a thread went.</summary>
/// <param name="WallMs">All of it, milliseconds.</param>
/// <param name="Processor">On a processor.</param>
/// <param name="QueuedMs">Ready to run while others ran, milliseconds.</param>
internal readonly record struct ThreadTime(double WallMs, ProcessorTime Processor, double QueuedMs)
{
    /// <summary>Asleep: milliseconds in which it waited for somebody.</summary>
    internal double BlockedMs => WallMs - Processor.TotalMs - QueuedMs;

    public static ThreadTime operator -(ThreadTime left, ThreadTime right) => new(
        left.WallMs - right.WallMs, left.Processor - right.Processor, left.QueuedMs - right.QueuedMs);

    internal static ThreadTime OfCurrentThread() => new(
        Stopwatch.GetElapsedTime(0).TotalMilliseconds, ProcessorTime.OfCurrentThread(), Queued());

    /// <summary>
    /// "338829729 1728207 46": nanoseconds on a processor, nanoseconds queued for one, turns.
    /// </summary>
    private static double Queued() => long.Parse(
        File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[1], CultureInfo.InvariantCulture) / 1e6;
}
