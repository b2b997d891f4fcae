using System.Runtime.InteropServices;

namespace Snapshot.Storage;

/// <summary>The failures of a store, with one wording.</summary>
internal static class StoreErrors
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    /// <summary>A failed file operation; .NET keeps the errno of an <see cref="IOException"/> in its HResult.</summary>
    internal static SnapshotException Io(string step, string path, long? offset, Exception error)
    {
        int? errno = error.HResult is > 0 and < 4096 ? error.HResult : null;
        return Io(step, path, offset, errno, error.Message, error);
    }

    internal static SnapshotException Io(string step, string path, long? offset, int errno, Exception? error = null) =>
        Io(step, path, offset, errno, Marshal.GetPInvokeErrorMessage(errno), error);

    internal static SnapshotException Corrupt(string path, string what, long? offset = null) =>
        new(SnapshotErrorCode.Corrupt, $"{path}: {what}") { Path = path, Offset = offset };

    private static SnapshotException Io(
        string step, string path, long? offset, int? errno, string why, Exception? error)
    {
        string advice = errno is NoSpace or QuotaExceeded
            ? "There is no room left: free some, or prune older generations. Committed generations are untouched."
            : "Committed generations are untouched.";
        string place = offset is { } at ? $"{path}, offset {at}" : path;
        return new SnapshotException(SnapshotErrorCode.StoreIo, $"{step} failed: {place}: {why} {advice}", error)
        {
            Path = path,
            Offset = offset,
            Step = step,
            Errno = errno,
        };
    }
}
