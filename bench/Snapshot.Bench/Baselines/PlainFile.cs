using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>
/// A checkpoint as programs write it by hand: all of the state into a file, through the page cache, and
/// fsync.
/// </summary>
internal static class PlainFile
{
    /// <summary>
    /// Milliseconds for so many bytes, during which the program stands still. The file is deleted.
    /// </summary>
    internal static double WriteMilliseconds(string directory, long bytes)
    {
        byte[] buffer = new byte[4 << 20];
        new Random(1).NextBytes(buffer);
        string file = Path.Combine(directory, "plain.out");
        long started = Stopwatch.GetTimestamp();
        using (FileStream stream = new(
            file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            for (long left = bytes; left > 0; left -= buffer.Length)
                stream.Write(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
            DurableFile.Flush(stream);
        }

        double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        File.Delete(file);
        return milliseconds;
    }
}
