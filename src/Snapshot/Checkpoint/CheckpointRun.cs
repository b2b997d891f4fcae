using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;

namespace Snapshot.Checkpoint;

/// <summary>The checkpoint, read top to bottom.</summary>
/// <remarks>
/// Whatever fails, wherever, leaves by the one exit at the end: the changed pages go back to tracking, every
/// handler whose prepare part ran is told, participants go on, and the newest committed generation is what it
/// was.
/// </remarks>
internal sealed class CheckpointRun(
    Coordinator coordinator, MemoryCapture memory, SnapshotStore store, ProcessorShare share,
    ProcessorMeter meter)
{
    /// <summary>Takes one checkpoint; returns when it is committed.</summary>
    /// <param name="ticket">Who asked, and what for.</param>
    /// <param name="header">The image to be: its generation, and the parent it is an increment of.</param>
    /// <param name="options">How the image is written.</param>
    /// <param name="timeout">Time until every participant has come.</param>
    internal SnapshotInfo Execute(
        CheckpointTicket ticket, ImageHeader header, ImageWriterOptions options, TimeSpan timeout)
    {
        CancellationToken cancellation = ticket.Cancellation;
        CheckpointReport report = CheckpointReport.Begin(ticket.Progress, header.Generation);
        Deadline deadline = Deadline.After(timeout);

        // How each arena is captured is decided. A short stop, of which no handler knows, may find written
        // pages first.
        TimeSpan earlyStop = memory.Choose(cancellation)
            ? coordinator.StopBriefly(
                header.Generation, timeout, memory.TakeWritten, ticket.AskedBy, cancellation)
            : TimeSpan.Zero;

        // Idle → Async: no participant is in a critical section, and none enters one until the pause is over.
        using Attempt attempt = coordinator.Begin(
            new AttemptTerms(header.Generation, deadline.Remaining, cancellation)
            {
                TellsCommittedLater = ticket.Options.TellCommittedLater,
                Requester = ticket.AskedBy,
                Entered = report.Enter,
            });
        try
        {
            // Async handlers prepare, last registered first. Beside them changed pages of arenas that are not
            // frozen are copied. The application runs.
            attempt.PrepareAsync(meanwhile: () => memory.Prepare(cancellation));

            // Participants are stopped at safepoints; each runs its sync handlers and parks.
            attempt.Stop();

            // Nobody runs. From here to the release no managed memory is allocated: a collection would
            // lengthen the pause.
            memory.Collect();
            memory.Hold();
            attempt.Release();

            // The pause is over; resume parts run. The participants compute from here on.
            CaptureInfo captured = report.Captured(attempt, memory, earlyStop);
            ticket.SetCaptured(captured);
            using CheckpointImage image =
                CheckpointImage.Begin(store, memory, header, options, report, cancellation);
            image.Drain(share, meter, () => ImageRecord.Of(coordinator.Export(), memory, captured));

            // No cancellation past this line: the generation becomes durable, or it is an error.
            attempt.BeginCommit();
            GenerationInfo committed = image.Commit();

            // Durable. Whatever fails from here on, this is no failed checkpoint any more.
            Exception? maintenanceError = Finish(attempt, new ImageLink(header.ImageId, header.Generation));
            ticket.Untold = attempt.Untold;
            return report.Info(captured, committed, image, attempt, memory, meter, maintenanceError);
        }
        catch (Exception error)
        {
            memory.GiveBack();
            attempt.Abort(error);
            throw;
        }
    }

    /// <summary>Goes on from a committed image; returns what that failed with, or null.</summary>
    private Exception? Finish(Attempt attempt, ImageLink committed)
    {
        Exception? failure = null;
        Try(() => memory.Settle(committed));
        Try(attempt.Complete);
        return failure;

        void Try(Action step)
        {
            try
            {
                step();
            }
#pragma warning disable CA1031 // The generation is there whatever it is; it is told with the generation.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure ??= error;
            }
        }
    }
}
