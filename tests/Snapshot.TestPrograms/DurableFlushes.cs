using Microsoft.Win32.SafeHandles;

namespace Snapshot.TestPrograms;

/// <summary>
/// Makes a file durable three times, by stream, by handle and by stream, and says what became of it.
/// </summary>
internal static class DurableFlushes
{
    internal static int Run(string path)
    {
        using FileStream stream = new(path, FileMode.Create, FileAccess.ReadWrite);
        SafeFileHandle handle = stream.SafeFileHandle;
        Append(stream, () => DurableFile.Flush(stream));
        Append(stream, () => DurableFile.Flush(handle));
        Append(stream, () => DurableFile.Flush(stream));
        return 0;
    }

    private static void Append(FileStream stream, Action flush)
    {
        stream.Write("line\n"u8);
        try
        {
            flush();
            Console.Write($"flushed, {new FileInfo(stream.Name).Length} bytes\n");
        }
        catch (SnapshotException error)
        {
            Console.Write($"failed {error.Code} {error.Errno} {error.Path}\n");
        }
    }
}
