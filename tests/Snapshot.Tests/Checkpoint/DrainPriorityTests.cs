using System.Globalization;
using Snapshot.Checkpoint;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

public sealed class DrainPriorityTests
{
    [Fact]
    public void A_thread_lowers_itself_and_no_other()
    {
        int here = NiceOfThisThread(), before = 0, after = 0;
        Thread thread = new(() =>
        {
            before = NiceOfThisThread();
            DrainPriority.Lower(DrainPriority.Nice);
            after = NiceOfThisThread();
        });
        thread.Start();
        thread.Join();
        Assert.Equal(Math.Max(before, DrainPriority.Nice), after);
        Assert.Equal(here, NiceOfThisThread());
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 10)]
    [InlineData(1.25, 9)]
    [InlineData(4, 4)]
    [InlineData(9.5, 0)]
    [InlineData(500, 0)]
    public void Where_more_threads_share_a_processor_the_drain_keeps_its_tenth(double perProcessor, int nice) =>
        Assert.Equal(nice, DrainPriority.NiceFor(perProcessor));

    /// <summary>The 19th field; the second is a name in parentheses, which may have spaces.</summary>
    private static int NiceOfThisThread()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[19 - 3], CultureInfo.InvariantCulture);
    }
}
