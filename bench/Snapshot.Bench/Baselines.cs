using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>What the hardware itself does with the same bytes.</summary>
internal static unsafe class Baselines
{
    private const int PageBytes = 4096;

    /// <summary>One thread copies so many bytes, rounded up to pages; the median of three, in milliseconds.</summary>
    internal static double MemcpyMilliseconds(long bytes)
    {
        long[] pages = new long[(bytes + PageBytes - 1) / PageBytes];
        for (int page = 0; page < pages.Length; page++) pages[page] = page;
        nuint length = (nuint)pages.Length * PageBytes;
        byte* source = (byte*)NativeMemory.AlignedAlloc(length, PageBytes);
        NativeMemory.Fill(source, length, 1);
        double milliseconds = MemcpyMilliseconds(source, pages);
        NativeMemory.AlignedFree(source);
        return milliseconds;
    }

    /// <summary>
    /// One thread copies the given pages to memory that is resident; the median of three, in milliseconds.
    /// </summary>
    internal static double MemcpyMilliseconds(byte* memory, ReadOnlySpan<long> pages)
    {
        nuint bytes = (nuint)pages.Length * PageBytes;
        byte* target = (byte*)NativeMemory.AlignedAlloc(bytes, PageBytes);
        NativeMemory.Fill(target, bytes, 1);
        double[] times = new double[3];
        for (int repeat = 0; repeat < times.Length; repeat++)
        {
            long started = Stopwatch.GetTimestamp();
            for (int index = 0; index < pages.Length;)
            {
                // Neighbouring pages in one copy, as memcpy of a range would be.
                int run = 1;
                while (index + run < pages.Length && pages[index + run] == pages[index] + run) run++;
                Buffer.MemoryCopy(
                    memory + pages[index] * PageBytes, target + (long)index * PageBytes, (long)run * PageBytes,
                    (long)run * PageBytes);
                index += run;
            }

            times[repeat] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        NativeMemory.AlignedFree(target);
        return times.Order().ElementAt(1);
    }

    /// <summary>
    /// GB/s of <c>dd bs=4M oflag=direct conv=fsync</c> into the directory; the best of three runs of that many bytes.
    /// </summary>
    /// <exception cref="IOException">dd failed, for instance because the file system refuses direct I/O.</exception>
    internal static double DirectWriteGigabytesPerSecond(string directory, long bytes)
    {
        string file = Path.Combine(directory, "dd.out");
        long blocks = Math.Max(1, bytes >> 22);
        double best = 0;
        for (int repeat = 0; repeat < 3; repeat++)
        {
            ProcessStartInfo start = new(
                "dd",
                [
                    "if=/dev/zero", $"of={file}", "bs=4M", $"count={blocks.ToString(CultureInfo.InvariantCulture)}",
                    "oflag=direct", "conv=fsync"])
            {
                RedirectStandardError = true,
            };
            long started = Stopwatch.GetTimestamp();
            using Process dd = Process.Start(start)!;
            string output = dd.StandardError.ReadToEnd();
            dd.WaitForExit();
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            File.Delete(file);
            if (dd.ExitCode != 0) throw new IOException($"dd into '{directory}' failed: {output.Trim()}");
            best = Math.Max(best, (blocks << 22) / seconds / 1e9);
        }

        return best;
    }
}
