using Microsoft.Win32.SafeHandles;
using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>A file of a directory.</summary>
internal sealed class DirectoryFile(string path, SafeFileHandle handle, bool direct) : IStoreFile
{
    public string Name => path;

    public bool DirectIo => direct;

    public SafeFileHandle? File => handle;

    public long Length
    {
        get
        {
            try
            {
                return RandomAccess.GetLength(handle);
            }
            catch (Exception error) when (StoreErrors.IsIo(error))
            {
                throw StoreErrors.Io("asking for the length", path, null, error);
            }
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        using FileSizeSignal signal = FileSizeSignal.Hold();
        try
        {
            RandomAccess.Write(handle, bytes, offset);
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            throw NotWritten(error, offset);
        }
    }

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> segments, long offset)
    {
        using FileSizeSignal signal = FileSizeSignal.Hold();
        try
        {
            RandomAccess.Write(handle, segments, offset);
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            throw NotWritten(error, offset);
        }
    }

    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            while (destination.Length > 0)
            {
                int count = RandomAccess.Read(handle, destination, offset);
                if (count == 0) throw new EndOfStreamException("the file ended before its length");
                destination = destination[count..];
                offset += count;
            }
        }
        catch (Exception error) when (StoreErrors.IsIo(error))
        {
            throw StoreErrors.Io("reading", path, offset, error);
        }
    }

    public void Sync()
    {
        // Not RandomAccess.FlushToDisk: it returns normally when fsync fails.
        int errno = Native.sn_file_sync((int)handle.DangerousGetHandle());
        if (errno != 0) throw StoreErrors.Io("syncing", path, null, errno);
    }

    public void Dispose() => handle.Dispose();

    private SnapshotException NotWritten(Exception error, long offset)
    {
        // What .NET makes of EFBIG.
        return error is ArgumentOutOfRangeException
            ? StoreErrors.Io("writing", path, offset, Errno.FileTooBig, error)
            : StoreErrors.Io("writing", path, offset, error);
    }
}
