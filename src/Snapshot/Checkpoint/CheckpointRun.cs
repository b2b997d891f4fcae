using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Storage;

namespace Snapshot.Checkpoint;

/// <summary>The checkpoint, read top to bottom.</summary>
/// <remarks>
/// Whatever fails, wherever, leaves by the one exit at the end: the changed pages go back to tracking, every handler
/// whose prepare part ran is told, participants go on, and the newest committed generation is what it was.
/// </remarks>
internal sealed class CheckpointRun(
    Coordinator coordinator, MemoryCapture memory, SnapshotStore store, ProcessorShare share, ProcessorMeter meter)
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
        CheckpointReport report = new(ticket.Progress, header.Generation);

        // How each arena is captured is decided. A short stop, of which no handler knows, may find written pages first.
        report.Enter(CheckpointStage.Waiting);
        Deadline deadline = Deadline.After(timeout);
        if (memory.Choose(cancellation))
            report.StoppedEarly(coordinator.StopBriefly(header.Generation, timeout, memory.TakeWritten, cancellation));

        // Idle → Async: no participant is in a critical section, and none enters one until the pause is over.
        using Attempt attempt = coordinator.Begin(header.Generation, deadline.Remaining, cancellation);
        try
        {
            // Async handlers prepare, last registered first. Beside them changed pages of arenas that are not frozen
            // are copied. The application runs.
            report.Enter(CheckpointStage.Preparing);
            attempt.PrepareAsync(meanwhile: () => memory.Prepare(cancellation));
            report.Prepared();

            // Participants are stopped at safepoints; each runs its sync handlers and parks.
            report.Enter(CheckpointStage.Stopping);
            attempt.Stop();

            // Nobody runs. From here to the release no managed memory is allocated: a collection would lengthen the
            // pause.
            report.BeginPause(memory);
            memory.Collect();
            report.Collected();
            memory.Hold();
            report.Held();
            attempt.Release();
            report.Released(attempt, memory);

            // The pause is over; resume parts run. What follows is beside the application.
            CaptureInfo captured = report.Captured(memory);
            ticket.SetCaptured(captured);

            report.Enter(CheckpointStage.Draining);
            using NextImage next = store.Space.Plan(header, memory.Pages, cancellation);
            ImageDraft draft = store.BeginImage(next.Header, options, cancellation);
            draft.ExpectedBytes = next.ExpectedBytes;
            GenerationInfo committed;
            PageTally tally = new(report.Pages);
            try
            {
                DrainThread.Run(
                    share, meter,
                    () => memory.WriteTo(draft.Writer, next.Inherited, tally, cancellation));
                draft.Complete(ImageRecord.Of(coordinator.Export(), memory, captured), cancellation);
                report.Drained();

                // No cancellation past this line: the generation becomes durable, or it is an error.
                report.Enter(CheckpointStage.Committing);
                attempt.BeginCommit();
                committed = store.Commit(draft);
            }
            catch (Exception error)
            {
                store.Abandon(draft);
                if (error is not SnapshotException failure) throw;
                if (store.Space.Explain(failure, next) is var explained && explained != failure) throw explained;
                throw;
            }

            // Durable. Whatever fails from here on, this is no failed checkpoint any more.
            report.Committed();
            store.Space.Learn(captured.PagesTracked, tally.Changed, draft.Summary!);
            Exception? keepingError = Finish(attempt, new ImageLink(header.ImageId, header.Generation));
            return report.Info(captured, committed, draft, tally, attempt, memory, meter, keepingError);
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
