using System.Globalization;
using Snapshot.Interop;

namespace Snapshot.Checkpoint;

/// <summary>The priority of the threads that drain an image: they yield, and yet come to an end.</summary>
internal static class DrainPriority
{
    /// <summary>
    /// The nice value where each processor has one thread of the application to run: about a tenth of a processor is
    /// left to a thread of the drain.
    /// </summary>
    internal const int Nice = 10;

    /// <summary>By which the share of a processor grows from one nice value to the next (sched(7)).</summary>
    private const double ShareOfStep = 1.25;

    /// <summary>How many threads of the machine want to run, as the kernel counts them: "0.2 0.1 0.1 3/180 4711".
    /// </summary>
    private const string RunnableFile = "/proc/loadavg";

    /// <summary>Lowers the calling thread, for good.</summary>
    /// <exception cref="SnapshotException">
    /// SystemCall: it needs no permission, so something forbids the call.
    /// </exception>
    internal static void Lower() => Lower(NiceFor(Runnable() / (double)Environment.ProcessorCount));

    internal static void Lower(int nice) => NativeError.ThrowIfFailed(
        Native.sn_thread_lower(nice), "setpriority", "Let the process lower the priority of its threads.");

    /// <summary>
    /// The value that leaves a tenth of a processor to the drain. Where more threads share each processor, the drain,
    /// too, would have the tenth of a smaller part, and might not end before the application does.
    /// </summary>
    /// <param name="threadsPerProcessor">That want to run.</param>
    internal static int NiceFor(double threadsPerProcessor) => threadsPerProcessor <= 1
        ? Nice
        : Math.Max(0, Nice - (int)Math.Round(Math.Log(threadsPerProcessor, ShareOfStep)));

    /// <summary>Threads that want to run now; 0 where the kernel does not tell.</summary>
    private static int Runnable()
    {
        string text;
        try
        {
            text = File.ReadAllText(RunnableFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }

        string[] fields = text.Split(' ');
        return fields.Length > 3 && int.TryParse(
            fields[3].Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int runnable) ? runnable : 0;
    }
}
