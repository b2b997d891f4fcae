using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>
/// The checkpoints of a session: they are asked for here, run one after the other on a thread of their own,
/// and the store is kept after each.
/// </summary>
internal sealed class Checkpoints : IAsyncDisposable, IDisposable
{
    private readonly Coordinator _coordinator;
    private readonly SnapshotStore _store;
    private readonly ProcessorShare _share;
    private readonly CheckpointSettings _settings;
    private readonly Subscribers _subscribers;
    private readonly StoreMaintenance _maintenance;
    private readonly CheckpointThread _thread;

    // A kernel without huge pages refuses, and the memory serves all the same.
    private readonly BlockPool _blocks =
        new((address, bytes) => _ = Native.sn_memory_advise_huge((ulong)address, (ulong)bytes, 1));

    /// <param name="coordinator">Stops the participants.</param>
    /// <param name="store">Where what is captured goes.</param>
    /// <param name="trackers">Tell what changed.</param>
    /// <param name="share">What the threads have of a processor.</param>
    /// <param name="settings">What a request does not say.</param>
    /// <param name="subscribers">What they threw is told with each generation.</param>
    /// <exception cref="SnapshotException">
    /// Unsupported: memory cannot be captured as the settings say. SystemCall.
    /// </exception>
    internal Checkpoints(
        Coordinator coordinator, SnapshotStore store, TrackerFactory trackers, ProcessorShare share,
        CheckpointSettings settings, Subscribers subscribers)
    {
        _coordinator = coordinator;
        _store = store;
        _share = share;
        _settings = settings;
        _subscribers = subscribers;
        _maintenance = new StoreMaintenance(store);
        Memory = MemoryCapture.Begin(settings, trackers);
        try
        {
            _thread = new CheckpointThread(coordinator, share, TakeCheckpoint);
        }
        catch
        {
            Memory.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What is captured. Whoever adds regions disposes of it: after this, and when none of their pages is to
    /// come any more.
    /// </summary>
    internal MemoryCapture Memory { get; }

    /// <summary>Whether the caller is called by a checkpoint, which it must not wait for.</summary>
    internal bool IsCurrent => _thread.IsCurrent;

    /// <summary>Asks for a checkpoint and returns at once.</summary>
    /// <exception cref="SnapshotException">
    /// Busy: one is running and the request does not want to wait.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The session is closed.</exception>
    internal CheckpointTicket Request(
        CheckpointOptions options, IProgress<SnapshotProgress>? progress, CancellationToken cancellation)
    {
        CheckpointTicket ticket = new(options, progress, cancellation);
        try
        {
            _thread.Submit(ticket);
        }
        catch
        {
            ticket.StopWatching();
            throw;
        }

        return ticket;
    }

    /// <summary>Cancels what is open and takes no more requests; does not wait.</summary>
    internal void Close() => _thread.Close();

    /// <summary>
    /// Cancels what is open, and waits until the thread and the maintenance of the store have ended.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _thread.Dispose();
        await _maintenance.DisposeAsync().ConfigureAwait(false);
        _blocks.Dispose();
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private SnapshotInfo TakeCheckpoint(CheckpointTicket ticket)
    {
        _settings.ThrowUnlessComplete();

        // After a commit of unknown outcome the store is read again. Whether that generation turns out to be
        // there or not, the next one is an increment of the last that is known to be: its pages were given
        // back.
        _store.ResolveOutcome();
        ImageHeader header = new(
            ImageHeader.NewImageId(),
            _store.NextGeneration,
            Memory.Parent,
            DateTimeOffset.UtcNow)
        { Tag = ticket.Options.Tag };
        ProcessorMeter meter = new();
        ImageWriterOptions writing = new()
        {
            Encoding = _settings.Encoding,
            EncoderThreads = _settings.EncoderThreads,
            Around = (task, work) =>
            {
                using ProcessorMeter.Measurement spent = meter.Begin(task);
                if (task == CheckpointTask.Encode) _share.Take(ProcessorShare.Tenth);
                work();
            },
            Pool = _blocks,
            BytesPerSecond = _settings.DrainBytesPerSecond,
        };
        CheckpointRun run = new(_coordinator, Memory, _store, _share, meter);
        SnapshotInfo info;
        using (meter.Begin(CheckpointTask.Capture))
            info = run.Execute(ticket, header, writing, ticket.Options.Timeout ?? _settings.Timeout);
        _store.Continue(info.Generation);
        info.MaintenanceError ??= _maintenance.LastError;
        info.SubscriberErrors = _subscribers.Take();
        _maintenance.Request();
        return info;
    }
}
