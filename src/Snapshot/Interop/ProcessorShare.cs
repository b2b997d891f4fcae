using System.Globalization;

namespace Snapshot.Interop;

/// <summary>
/// How much of a processor a thread of the library has where all of them are busy, however many threads share
/// each.
/// </summary>
/// <remarks>
/// <para>Weights of the scheduler are relative: beside ten threads a processor, one of equal weight has a
/// tenth, and comes late to its turn each time it is woken. So the nice value follows from what is wanted and
/// from how many want to run.</para>
/// <para>The load that the kernel tells is that of the whole machine, and not that of the processors this
/// process may use: in a container with two of 128 it may be that of others. So no more threads count than
/// this process has.</para>
/// </remarks>
/// <param name="isWanted">
/// Whether the session's options let threads have another priority than the application.
/// </param>
internal sealed class ProcessorShare(bool isWanted)
{
    /// <summary>
    /// For what the application waits for: as much as one of its threads has where each has a processor.
    /// </summary>
    internal const int Whole = 0;

    /// <summary>For work in the background, which is to yield, and yet to come to an end.</summary>
    internal const int Tenth = 10;

    /// <summary>By which the weight grows from one nice value to the next (sched(7)).</summary>
    private const double WeightOfStep = 1.25;

    private const int Highest = -20;

    /// <summary>
    /// How many threads of the machine want to run, as the kernel counts them: "0.2 0.1 0.1 3/180 4711".
    /// </summary>
    private const string RunnableFile = "/proc/loadavg";

    /// <summary>A line "Threads: 12" tells how many this process has.</summary>
    private const string ThreadsFile = "/proc/self/status";

    private const string Threads = "Threads:";

    /// <summary>Whether it is wanted, and the machine lets a thread have another priority.</summary>
    internal bool IsTaken => isWanted && MachineCapabilities.Current[Capability.Priorities];

    /// <summary>
    /// Gives the calling thread that share, by how many threads want to run now. What is not permitted is
    /// left: the thread then has the share of any other.
    /// </summary>
    /// <param name="share"><see cref="Whole"/> or <see cref="Tenth"/>.</param>
    internal void Take(int share)
    {
        if (!IsTaken) return;
        string load = SystemFile.Text(RunnableFile) ?? "", status = SystemFile.Text(ThreadsFile) ?? "";
        SetNice(NiceFor(share, Competing(load, status) / (double)Environment.ProcessorCount));
    }

    /// <summary>The nice value for a share, counted from the one of the process.</summary>
    /// <param name="share">The value where each processor has one thread to run.</param>
    /// <param name="threadsPerProcessor">That want to run.</param>
    internal static int NiceFor(int share, double threadsPerProcessor) => threadsPerProcessor <= 1
        ? share
        : Math.Max(Highest, share - (int)Math.Round(Math.Log(threadsPerProcessor, WeightOfStep)));

    private static unsafe void SetNice(int nice)
    {
        int raised;
        // To raise one takes a privilege. A share is a courtesy: without it the thread has that of any other.
        _ = Native.sn_thread_nice(nice, &raised);
    }

    /// <summary>Threads that want to run beside the caller; 0 where the kernel does not tell.</summary>
    /// <param name="load">The text of /proc/loadavg.</param>
    /// <param name="status">The text of /proc/self/status.</param>
    internal static int Competing(string load, string status)
    {
        string[] fields = load.Split(' ');
        int runnable = fields.Length > 3 ? Count(fields[3].Split('/')[0]) : 0;
        string? own =
            status.Split('\n').FirstOrDefault(line => line.StartsWith(Threads, StringComparison.Ordinal));
        return Math.Min(runnable, own is null ? runnable : Count(own[Threads.Length..].Trim()));
    }

    private static int Count(string number) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0;
}
