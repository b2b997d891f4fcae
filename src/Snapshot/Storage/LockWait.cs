using System.Diagnostics;

namespace Snapshot.Storage;

/// <summary>How long whoever opens a store waits for the one that has it, and when that is told.</summary>
internal sealed class LockWait(StoreOptions options)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_untilTold = TimeSpan.FromSeconds(1);

    private readonly long _started = Stopwatch.GetTimestamp();
    private bool _isTold;

    /// <summary>Waits a moment; false when that was done long enough.</summary>
    /// <param name="what">Says that the store is open for writing, and who has it.</param>
    internal bool GoOn(Func<string> what)
    {
        TimeSpan waited = Stopwatch.GetElapsedTime(_started);
        if (waited >= options.LockTimeout) return false;
        if (!_isTold && waited >= s_untilTold)
        {
            _isTold = true;
            options.Waiting?.Invoke(
                $"{what()}; waiting up to {options.LockTimeout.TotalSeconds:0.#} s for it");
        }

        // Another process cannot be waited for in any other way.
        Thread.Sleep(s_interval);
        return true;
    }
}
