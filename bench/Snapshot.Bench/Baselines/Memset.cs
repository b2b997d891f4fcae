using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>What one thread takes to fill memory that is resident.</summary>
internal static unsafe class Memset
{
    /// <summary>The median of three, in milliseconds. The memory then holds the value of the last.</summary>
    internal static double Milliseconds(byte* memory, long bytes)
    {
        NativeMemory.Fill(memory, (nuint)bytes, 1);
        double[] times = new double[3];
        for (int repeat = 0; repeat < times.Length; repeat++)
        {
            long started = Stopwatch.GetTimestamp();
            NativeMemory.Fill(memory, (nuint)bytes, (byte)(repeat + 2));
            times[repeat] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        return Figures.Median(times);
    }
}
