using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Snapshot.Bench;

/// <summary>What dd gets from the disk past the page cache.</summary>
internal static class DirectIo
{
    internal const string Program = "dd";

    /// <summary>
    /// GB/s of <c>dd bs=4M oflag=direct conv=fsync</c> into the directory; the best of three runs of that
    /// many bytes.
    /// </summary>
    /// <exception cref="IOException">
    /// dd failed, for instance because the file system refuses direct I/O.
    /// </exception>
    internal static double WriteGigabytesPerSecond(string directory, long bytes)
    {
        string file = Path.Combine(directory, "dd.out");
        long blocks = Math.Max(1, bytes >> 22);
        string count = blocks.ToString(CultureInfo.InvariantCulture);
        double best = 0;
        for (int repeat = 0; repeat < 3; repeat++)
        {
            double seconds = Seconds(
                "if=/dev/zero", $"of={file}", "bs=4M", $"count={count}", "oflag=direct", "conv=fsync");
            File.Delete(file);
            best = Math.Max(best, (blocks << 22) / seconds / 1e9);
        }

        return best;
    }

    /// <summary>GB/s of <c>dd bs=4M iflag=direct</c> of a file.</summary>
    /// <exception cref="IOException">
    /// dd failed, for instance because the file system refuses direct I/O.
    /// </exception>
    internal static double ReadGigabytesPerSecond(string file)
    {
        double seconds = Seconds($"if={file}", "of=/dev/null", "bs=4M", "iflag=direct");
        return new FileInfo(file).Length / seconds / 1e9;
    }

    /// <summary>GB/s of direct reads of a file by all processors, into huge pages that are there.</summary>
    /// <exception cref="IOException">The file system refuses direct I/O.</exception>
    internal static unsafe double HugeReadGigabytesPerSecond(string file)
    {
        const int Piece = 2 * HugeMemory.HugePage;
        using SafeFileHandle handle = File.OpenHandle(file);
        DirectFile.Set(handle);
        long length = RandomAccess.GetLength(handle), next = -1;
        using HugeMemory memory = new((long)Piece * Environment.ProcessorCount);
        new Span<byte>(memory.Pointer, Piece * Environment.ProcessorCount).Fill(1);
        long started = Stopwatch.GetTimestamp();
        Parallel.For(
            0, Environment.ProcessorCount,
            thread =>
            {
                Span<byte> piece = new(memory.Pointer + ((long)thread * Piece), Piece);
                for (long at; (at = Interlocked.Increment(ref next) * Piece) < length;)
                {
                    for (int read = 0; read < piece.Length && at + read < length;)
                        read += RandomAccess.Read(handle, piece[read..], at + read);
                }
            });
        return length / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e9;
    }

    private static double Seconds(params string[] arguments)
    {
        long started = Stopwatch.GetTimestamp();
        using Process dd =
            Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;
        string output = dd.StandardError.ReadToEnd();
        dd.WaitForExit();
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Interruption.EndIfInterrupted(dd.ExitCode);
        if (dd.ExitCode != 0)
            throw new IOException($"dd {string.Join(' ', arguments)} failed: {output.Trim()}");
        return seconds;
    }
}
