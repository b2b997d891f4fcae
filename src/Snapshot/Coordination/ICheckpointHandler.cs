using System.Diagnostics.CodeAnalysis;

namespace Snapshot;

/// <summary>Code that runs around the point where memory is captured.</summary>
/// <remarks>
/// Registered with a session it is an <i>async</i> handler: it runs on the session's handler thread, its
/// prepare part while the application goes on computing. Registered with a participant it is a <i>sync</i>
/// handler: it runs on that participant's thread, once the thread has stopped at a safepoint. Prepare parts
/// run last registered first, resume parts first registered first. A handler is called by one thread at a
/// time.
/// </remarks>
public interface ICheckpointHandler
{
    /// <summary>
    /// Runs before memory is captured. Throwing aborts the checkpoint with the exception as cause. Once
    /// called, this handler's <see cref="Resume"/> is called too, also when this method threw.
    /// </summary>
    /// <param name="context">The checkpoint being prepared; valid until this method returns.</param>
    public void Prepare(PrepareContext context);

    /// <summary>
    /// Runs after memory was captured, after the checkpoint was aborted, or after a restart. Throwing after
    /// Continued, Omitted or Aborted is reported apart and changes nothing else; throwing after Restarted
    /// fails the restart.
    /// </summary>
    /// <param name="outcome">What happened.</param>
    [SuppressMessage(
        "Naming", "CA1716", Justification = "The term of the field; Visual Basic can escape it.")]
    public void Resume(CheckpointOutcome outcome);

    /// <summary>
    /// Runs after the generation became durable and visible. Send replies and delete files here, and not
    /// before. A sync handler is called at its participant's next safepoint. What it throws is reported
    /// apart. With <see cref="CheckpointOptions.TellCommittedLater"/> the program says when.
    /// </summary>
    /// <param name="generation">The generation.</param>
    public void Committed(long generation)
    {
    }
}
