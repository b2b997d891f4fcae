namespace Snapshot;

/// <summary>Closes a session once, whoever asks, and lets the others who ask wait for it.</summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="isCalledByCheckpoint">
/// Whether the caller is what closing waits for, so that it must not wait.
/// </param>
/// <param name="giveUp">Gives up what closing waits for, and does not wait.</param>
/// <param name="close">Closes.</param>
internal sealed class SessionClosing(Func<bool> isCalledByCheckpoint, Action giveUp, Func<Task> close)
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _hasBegun;

    internal bool HasBegun => Volatile.Read(ref _hasBegun) != 0;

    /// <summary>What closing throws is thrown to the one who asked first.</summary>
    internal async Task RunAsync()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) != 0)
        {
            await _closed.Task.ConfigureAwait(false);
            return;
        }

        // Before anything is left to another thread: a checkpoint that closes its session goes no step
        // further.
        giveUp();
        if (isCalledByCheckpoint())
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await close().ConfigureAwait(false);
        }
        finally
        {
            _closed.SetResult();
        }
    }

    /// <summary>The same, and waits where that can end.</summary>
    internal void Run()
    {
        Task closing = RunAsync();
        if (!isCalledByCheckpoint()) closing.GetAwaiter().GetResult();
    }
}
