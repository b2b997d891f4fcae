using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>What one thread takes to copy the same bytes, to memory that is resident.</summary>
internal static unsafe class Memcpy
{
    /// <summary>So many bytes, rounded up to pages; the median of three, in milliseconds.</summary>
    internal static double Milliseconds(long bytes)
    {
        long length =
            (Math.Max(bytes, 1) + PagePattern.PageBytes - 1) / PagePattern.PageBytes * PagePattern.PageBytes;
        using HugeMemory source = new(length);
        NativeMemory.Fill(source.Pointer, (nuint)length, 1);
        return Milliseconds(source.Pointer, PagePattern.All(length / PagePattern.PageBytes));
    }

    /// <summary>The given pages; the median of three, in milliseconds.</summary>
    internal static double Milliseconds(byte* memory, ReadOnlySpan<long> pages)
    {
        long bytes = (long)pages.Length * PagePattern.PageBytes;
        using HugeMemory target = new(bytes);
        NativeMemory.Fill(target.Pointer, (nuint)bytes, 1);
        double[] times = new double[3];
        for (int repeat = 0; repeat < times.Length; repeat++)
        {
            long started = Stopwatch.GetTimestamp();
            Copy(memory, pages, target.Pointer);
            times[repeat] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        return Figures.Median(times);
    }

    /// <summary>Neighbouring pages in one copy, as memcpy of a range would be.</summary>
    private static void Copy(byte* memory, ReadOnlySpan<long> pages, byte* target)
    {
        for (int index = 0; index < pages.Length;)
        {
            int run = 1;
            while (index + run < pages.Length && pages[index + run] == pages[index] + run) run++;
            long bytes = (long)run * PagePattern.PageBytes;
            Buffer.MemoryCopy(
                memory + pages[index] * PagePattern.PageBytes, target + (long)index * PagePattern.PageBytes,
                bytes,
                bytes);
            index += run;
        }
    }
}
