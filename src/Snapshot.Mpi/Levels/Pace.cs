using System.Diagnostics;

namespace Snapshot.Mpi.Levels;

/// <summary>Keeps what one thread copies at a rate. It may be late, and does not make up for that.</summary>
/// <param name="bytesPerSecond">The rate, or null for none.</param>
internal sealed class Pace(long? bytesPerSecond)
{
    private long _due = Stopwatch.GetTimestamp();

    /// <summary>Returns when so many more bytes may go.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal void Wait(int bytes, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (bytesPerSecond is not { } rate) return;
        TimeSpan early = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), _due);
        if (early > TimeSpan.Zero && cancellation.WaitHandle.WaitOne(early))
            cancellation.ThrowIfCancellationRequested();
        _due = Math.Max(_due, Stopwatch.GetTimestamp())
            + (long)(bytes * ((double)Stopwatch.Frequency / rate));
    }
}
