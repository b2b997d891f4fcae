namespace Snapshot.Checkpoint;

/// <summary>
/// What a store needs after a commit, done while the participants compute: prunes old generations, compacts a
/// long chain.
/// </summary>
/// <remarks>
/// One piece of work runs at a time, on the thread pool; a commit that comes meanwhile asks for another
/// round.
/// </remarks>
internal sealed class StoreMaintenance(SnapshotStore store) : IAsyncDisposable
{
    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _closing = new();
    private Task _work = Task.CompletedTask;
    private volatile Exception? _lastError;

    /// <summary>What the last round failed with, or null. Generations are not affected by it.</summary>
    internal Exception? LastError => _lastError;

    /// <summary>Asks for a round after a commit.</summary>
    internal void Request()
    {
        lock (_starting)
        {
            if (_closing.IsCancellationRequested) return;
            _work = _work.ContinueWith(_ => RoundAsync(), TaskScheduler.Default).Unwrap();
        }
    }

    /// <summary>Gives up what runs, which leaves the store as it is, and waits for the end of it.</summary>
    public async ValueTask DisposeAsync()
    {
        Task work;
        lock (_starting)
        {
            if (_closing.IsCancellationRequested) return;
            _closing.Cancel();
            work = _work;
        }

        await work.ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task RoundAsync()
    {
        try
        {
            await store.PruneAsync(store.Options.Retention, null, _closing.Token).ConfigureAwait(false);
            if (store.Newest is { } newest && ChainLength(newest) > store.Options.ChainLengthMax
                && store.Space.AdmitsCompaction(newest))
            {
                await store.CompactAsync(newest.Generation, null, _closing.Token).ConfigureAwait(false);
                await store.PruneAsync(store.Options.Retention, null, _closing.Token).ConfigureAwait(false);
            }

            _lastError = null;
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The session closes; the next one keeps the store.
        }
#pragma warning disable CA1031 // Told with the next generation; maintenance must not end the session.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _lastError = error;
        }
    }

    private int ChainLength(GenerationInfo newest)
    {
        Dictionary<long, long?> parents = store.Generations.ToDictionary(
            entry => entry.Generation, entry => entry.Parent);
        int length = 1;
        for (long? at = newest.Parent;
            at is { } generation && parents.TryGetValue(generation, out long? parent);
            at = parent)
        {
            length++;
        }
        return length;
    }
}
