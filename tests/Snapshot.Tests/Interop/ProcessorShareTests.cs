using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Interop;

public sealed class ProcessorShareTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_thread_changes_itself_and_no_other_and_only_where_that_is_wanted(bool isWanted)
    {
        int here = ThreadNice.Here(), after = 0;
        Thread thread = new(() =>
        {
            new ProcessorShare(isWanted).Take(19);
            after = ThreadNice.Here();
        });
        thread.Start();
        thread.Join();
        if (isWanted) Assert.InRange(after, here, 19);
        else Assert.Equal(here, after);
        Assert.Equal(here, ThreadNice.Here());
    }

    /// <summary>
    /// In a container with 2 of 128 processors the machine's load is mostly that of others.
    /// </summary>
    [Theory]
    [InlineData("90.1 80.2 70.3 128/4000 4711", "Name:\tx\nThreads:\t20\nSigQ:\t0", 20)]
    [InlineData("0.1 0.2 0.3 3/180 4711", "Threads:\t20", 3)]
    [InlineData("0.1 0.2 0.3 3/180 4711", "", 3)]
    [InlineData("", "Threads:\t20", 0)]
    public void No_more_threads_compete_than_the_process_has(string load, string status, int competing) =>
        Assert.Equal(competing, ProcessorShare.Competing(load, status));

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
}
