using System.ComponentModel;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// The checkpoint that a handler written as a fiber takes part in: what is before <c>await checkpoint</c>
/// runs before memory is captured, what is after it runs after that, with the same locals, also in a new
/// process.
/// </summary>
public readonly struct PendingCheckpoint
{
    internal PendingCheckpoint(long generation)
    {
        Generation = generation;
    }

    /// <summary>The generation this checkpoint will have if it is committed.</summary>
    public long Generation { get; }

    private IPendingCapture Capture => FiberScheduler.OfThread.PendingCapture is { } capture
        && capture.Generation == Generation
            ? capture
            : throw new InvalidOperationException("The capture that this was about is over.");

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Awaiter GetAwaiter() => default;

    /// <summary>
    /// Aborts the checkpoint; the handler is then resumed with Aborted. See
    /// <see cref="PrepareContext.Abort"/>.
    /// </summary>
    /// <param name="code">A code of the application's choice.</param>
    /// <param name="reason">For the message of the requester's exception.</param>
    /// <exception cref="InvalidOperationException">The capture is over.</exception>
    public void Abort(int code, string? reason = null) => Capture.Abort(code, reason);

    /// <summary>
    /// Leaves the participant whose handler this is out of the image. See <see cref="PrepareContext.Omit"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// This is an async handler, or the capture is over.
    /// </exception>
    public void Omit() => Capture.Omit();

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public readonly struct Awaiter : IFiberAwaiter
    {
        /// <summary>For the compiler.</summary>
        public bool IsCompleted => false;

        /// <summary>What happened.</summary>
        public FiberOutcome GetResult() => FiberScheduler.OfThread.Outcome;

        unsafe void IFiberAwaiter.Suspend(FiberFrame* frame) =>
            FiberScheduler.OfThread.SuspendAtCheckpoint(frame);
    }
}
