using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>Counts the processor time that threads spend on one checkpoint. Thread-safe.</summary>
internal sealed class ProcessorMeter
{
    private readonly long[] _nanoseconds = new long[Enum.GetValues<CheckpointTask>().Length];

    /// <summary>What the measurements that have ended came to.</summary>
    internal TimeSpan Spent =>
        Enum.GetValues<CheckpointTask>().Aggregate(TimeSpan.Zero, (sum, task) => sum + On(task));

    /// <summary>The same, of one task.</summary>
    internal TimeSpan On(CheckpointTask task) =>
        TimeSpan.FromMicroseconds(Interlocked.Read(ref _nanoseconds[(int)task]) / 1000.0);

    /// <summary>
    /// Measures what the calling thread spends until the measurement is disposed of, by the same thread.
    /// </summary>
    internal Measurement Begin(CheckpointTask task) => new(ref _nanoseconds[(int)task]);

    // A thread's own time is part of every kernel; without it nothing is counted.
    private static unsafe long OfThread()
    {
        ulong time;
        return Native.sn_thread_time(&time) == 0 ? (long)time : 0;
    }

    /// <summary>What one thread spends on it.</summary>
    internal readonly ref struct Measurement
    {
        private readonly ref long _sum;
        private readonly long _began;

        internal Measurement(ref long sum)
        {
            _sum = ref sum;
            _began = OfThread();
        }

        /// <summary>Adds it to the sum.</summary>
        public void Dispose() => Interlocked.Add(ref _sum, OfThread() - _began);
    }
}
