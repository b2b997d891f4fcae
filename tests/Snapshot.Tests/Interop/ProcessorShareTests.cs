using System.Globalization;
using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Interop;

public sealed class ProcessorShareTests
{
    [Fact]
    public void A_thread_changes_itself_and_no_other()
    {
        int here = NiceOfThisThread(), after = 0;
        Thread thread = new(() =>
        {
            ProcessorShare.Take(19);
            after = NiceOfThisThread();
        });
        thread.Start();
        thread.Join();
        Assert.InRange(after, here, 19);
        Assert.Equal(here, NiceOfThisThread());
    }

    [Theory]
    [InlineData(ProcessorShare.Tenth, 0, 10)]
    [InlineData(ProcessorShare.Tenth, 1, 10)]
    [InlineData(ProcessorShare.Tenth, 1.25, 9)]
    [InlineData(ProcessorShare.Tenth, 9.5, 0)]
    [InlineData(ProcessorShare.Tenth, 256, -15)]
    [InlineData(ProcessorShare.Whole, 1, 0)]
    [InlineData(ProcessorShare.Whole, 9.5, -10)]
    [InlineData(ProcessorShare.Whole, 256, -20)]
    public void The_share_stays_where_more_threads_want_to_run(int share, double perProcessor, int nice) =>
        Assert.Equal(nice, ProcessorShare.NiceFor(share, perProcessor));

    /// <summary>The 19th field; the second is a name in parentheses, which may have spaces.</summary>
    private static int NiceOfThisThread()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[19 - 3], CultureInfo.InvariantCulture);
    }
}
