using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>
/// Makes a file of the program durable, for handlers that keep one in step with the images.
/// </summary>
/// <remarks>
/// .NET's own calls for it, <c>FileStream.Flush(true)</c> and <c>RandomAccess.FlushToDisk</c>, return
/// normally when fsync fails (10.0.12): a handler that relies on them lets a checkpoint be committed whose
/// file is not on the disk.
/// </remarks>
public static class DurableFile
{
    /// <summary>
    /// Writes out what the stream has buffered, and returns when the content of its file is durable.
    /// </summary>
    /// <param name="file">Open for writing.</param>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.StoreIo"/>, with the errno: it is not durable. What was written since the
    /// last call that succeeded may be lost, also when a later call succeeds: write it again, to a new file.
    /// </exception>
    /// <exception cref="IOException">The buffer could not be written.</exception>
    public static void Flush(FileStream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Flush();
        Sync(file.SafeFileHandle, file.Name);
    }

    /// <summary>Returns when the content of a file is durable.</summary>
    /// <param name="file">Open for writing.</param>
    /// <exception cref="SnapshotException">
    /// <see cref="SnapshotErrorCode.StoreIo"/>, with the errno: see <see cref="Flush(FileStream)"/>.
    /// </exception>
    public static void Flush(SafeFileHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Sync(file, path: null);
    }

    private static void Sync(SafeFileHandle file, string? path)
    {
        Native.Require();
        bool isHeld = false;
        int errno;
        try
        {
            file.DangerousAddRef(ref isHeld);
            errno = Native.sn_file_sync((int)file.DangerousGetHandle());
        }
        finally
        {
            if (isHeld) file.DangerousRelease();
        }

        if (errno == 0) return;
        throw new SnapshotException(
            SnapshotErrorCode.StoreIo,
            $"Syncing failed: {path ?? "a file"}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}). " +
            "What was written since the last successful sync may be lost, even if a later sync succeeds. " +
            "Write it again, to a new file.")
        {
            Path = path,
            Step = "syncing",
            Errno = errno,
        };
    }
}
