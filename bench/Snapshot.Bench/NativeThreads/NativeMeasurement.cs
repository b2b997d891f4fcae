using System.Globalization;

namespace Snapshot.Bench;

/// <summary>
/// So many native threads that compute: stopped, captured, and continued in another process.
/// </summary>
internal sealed record NativeMeasurement
{
    private const int PolledMax = 64;

    internal required int Threads { get; init; }

    internal required NativeTimes Native { get; init; }

    /// <summary>
    /// As many threads of C# that do the same and poll; null for more than <see cref="PolledMax"/>, each of
    /// which would have to wait for its turn to come to its next poll.
    /// </summary>
    internal required NativeTimes? Polled { get; init; }

    internal required NativeRestartTimes Restart { get; init; }

    /// <summary>What each thread has in an increment: registers, stack, record.</summary>
    internal double BytesPerThread => (double)Native.ChangedBytes / Threads;

    internal static NativeMeasurement Run(int threads, int rounds, string directory)
    {
        using StoreFolder native = new(directory), polled = new(directory);
        string count = threads.ToString(CultureInfo.InvariantCulture);
        string times = rounds.ToString(CultureInfo.InvariantCulture);
        return new NativeMeasurement
        {
            Threads = threads,
            Native = ChildProcess.Run<NativeTimes>(NativeChild.CommandName, native.Path, count, times),
            Restart =
                ChildProcess.Run<NativeRestartTimes>(NativeChild.RestartCommandName, native.Path, count),
            Polled = threads > PolledMax
                ? null
                : ChildProcess.Run<NativeTimes>(NativeChild.PolledCommandName, polled.Path, count, times),
        };
    }
}
