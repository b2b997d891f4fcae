namespace Snapshot.Interop;

/// <summary>Adds up the processor time that several threads spend on one thing. Thread-safe.</summary>
internal sealed class ProcessorMeter
{
    private long _nanoseconds;

    /// <summary>What the measurements that have ended came to.</summary>
    internal TimeSpan Spent => TimeSpan.FromMicroseconds(Interlocked.Read(ref _nanoseconds) / 1000.0);

    /// <summary>Measures what the calling thread spends until the measurement is disposed of, by the same thread.
    /// </summary>
    internal Measurement Begin() => new(this);

    // A thread's own time is part of every kernel; without it nothing is counted.
    private static unsafe long OfThread()
    {
        ulong time;
        return Native.sn_thread_time(&time) == 0 ? (long)time : 0;
    }

    /// <summary>What one thread spends on it.</summary>
    internal readonly ref struct Measurement
    {
        private readonly ProcessorMeter _meter;
        private readonly long _began;

        internal Measurement(ProcessorMeter meter)
        {
            _meter = meter;
            _began = OfThread();
        }

        /// <summary>Adds it to the sum.</summary>
        public void Dispose() => Interlocked.Add(ref _meter._nanoseconds, OfThread() - _began);
    }
}
