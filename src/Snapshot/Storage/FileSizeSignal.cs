using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>
/// While it is held, a write of this thread beyond <c>ulimit -f</c> fails with its error instead of killing
/// the process by SIGXFSZ. What the program does about that signal elsewhere is left as it is.
/// </summary>
/// <remarks>
/// Of one thread: dispose of it on the thread that made it, around calls that do not leave it.
/// </remarks>
internal readonly unsafe ref struct FileSizeSignal : IDisposable
{
    private readonly bool _isHeld;

    private FileSizeSignal(bool isHeld) => _isHeld = isHeld;

    internal static FileSizeSignal Hold()
    {
        int held;

        // It cannot fail with these arguments; if it were to, a write within the limit works all the same.
        return new FileSizeSignal(Native.sn_limit_signal_hold(&held) == 0 && held != 0);
    }

    public void Dispose()
    {
        if (_isHeld) _ = Native.sn_limit_signal_release();
    }
}
