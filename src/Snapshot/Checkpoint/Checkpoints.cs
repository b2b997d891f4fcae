using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>
/// The checkpoints of a session: they are asked for here, run one after the other on a thread of their own,
/// and the store is kept after each.
/// </summary>
internal sealed class Checkpoints : IAsyncDisposable, IDisposable
{
    private readonly Coordinator _coordinator;
    private readonly MemoryCapture _memory;
    private readonly SnapshotStore _store;
    private readonly ProcessorShare _share;
    private readonly CheckpointSettings _settings;
    private readonly Subscribers _subscribers;
    private readonly Action _throwUnlessComplete;
    private readonly StoreMaintenance _maintenance;
    private readonly CheckpointThread _thread;

    // A kernel without huge pages refuses, and the memory serves all the same.
    private readonly BlockPool _blocks =
        new((address, bytes) => _ = Native.sn_memory_advise_huge((ulong)address, (ulong)bytes, 1));

    /// <param name="coordinator">Stops the participants.</param>
    /// <param name="memory">What is captured.</param>
    /// <param name="store">Where it goes.</param>
    /// <param name="share">What the threads have of a processor.</param>
    /// <param name="settings">What a request does not say.</param>
    /// <param name="subscribers">What they threw is told with each generation.</param>
    /// <param name="throwUnlessComplete">
    /// Refuses a checkpoint that would leave out what the image had.
    /// </param>
    internal Checkpoints(
        Coordinator coordinator, MemoryCapture memory, SnapshotStore store, ProcessorShare share,
        CheckpointSettings settings, Subscribers subscribers, Action throwUnlessComplete)
    {
        _coordinator = coordinator;
        _memory = memory;
        _store = store;
        _share = share;
        _settings = settings;
        _subscribers = subscribers;
        _throwUnlessComplete = throwUnlessComplete;
        _maintenance = new StoreMaintenance(store);
        _thread = new CheckpointThread(coordinator, share, TakeCheckpoint);
    }

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
        _throwUnlessComplete();

        // After a commit of unknown outcome the store is read again. Whether that generation turns out to be
        // there or not, the next one is an increment of the last that is known to be: its pages were given
        // back.
        _store.ResolveOutcome();
        ImageHeader header = new(
            ImageHeader.NewImageId(),
            _store.NextGeneration,
            _memory.Parent,
            DateTimeOffset.UtcNow);
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
        CheckpointRun run = new(_coordinator, _memory, _store, _share, meter);
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
