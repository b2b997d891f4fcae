using System.Runtime.ExceptionServices;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>Runs the drain of one checkpoint on a thread that yields to the application.</summary>
/// <remarks>
/// A thread of its own, since an ordinary user may lower a priority and not raise it again, and the
/// checkpoint thread needs its own in the next pause.
/// </remarks>
internal static class DrainThread
{
    /// <summary>Runs it and waits; what it throws is thrown.</summary>
    /// <param name="share">What it takes of a processor.</param>
    /// <param name="meter">Counts what it spends.</param>
    /// <param name="drain">The drain.</param>
    internal static void Run(ProcessorShare share, ProcessorMeter meter, Action drain)
    {
        ExceptionDispatchInfo? failure = null;
        CheckpointThread? worksFor = CheckpointThread.Current;
        Thread thread = new(() =>
        {
            using ProcessorMeter.Measurement spent = meter.Begin(CheckpointTask.Drain);
            try
            {
                CheckpointThread.Current = worksFor;
                share.Take(ProcessorShare.Tenth);
                drain();
            }
#pragma warning disable CA1031 // Whatever it is, it is rethrown on the thread that waits.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        })
        {
            Name = "snapshot drain",
            IsBackground = true,
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
