using Snapshot.Interop;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

public sealed class ScanCrewTests : IDisposable
{
    private readonly PagemapDescriptor _pagemap =
        PagemapDescriptor.Open(MachineCapabilities.Current[Capability.PagemapScan]);
    private readonly ScanCrew _crew;
    private readonly PageScan _own;

    public ScanCrewTests()
    {
        _crew = new ScanCrew(_pagemap);
        _own = new PageScan(_pagemap);
    }

    public void Dispose()
    {
        _crew.Dispose();
        _own.Dispose();
        _pagemap.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_piece_is_done_once_before_the_run_returns(int size)
    {
        _crew.Man(size);
        Assert.Equal(size, _crew.Size);
        for (int run = 0; run < 20_000; run++)
        {
            Counted work = new(run % 7);
            _crew.Run(work, work.Counts.Length, _own);

            // Read without a fence: what helpers did is visible here.
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Helpers_take_part()
    {
        _crew.Man(2);
        using Meeting work = new();
        _crew.Run(work, 2, _own);
        Assert.Equal(2, work.Threads.Distinct().Count());
    }

    [Fact]
    public void A_run_allocates_no_managed_memory()
    {
        _crew.Man(2);
        Counted work = new(50);
        _crew.Run(work, 50, _own);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _crew.Run(work, 50, _own);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void What_a_piece_throws_is_thrown_by_the_run_and_the_next_one_works()
    {
        _crew.Man(3);
        for (int run = 0; run < 200; run++)
        {
            Assert.Throws<InvalidTimeZoneException>(() => _crew.Run(new Failing(run % 8), 8, _own));
            Counted work = new(8);
            _crew.Run(work, 8, _own);
            Assert.All(work.Counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Without_its_helpers_the_caller_does_all()
    {
        _crew.Man(3);
        _crew.Dispose();
        Assert.Equal(1, _crew.Size);
        Counted work = new(9);
        _crew.Run(work, 9, _own);
        Assert.All(work.Counts, count => Assert.Equal(1, count));
    }

    private sealed class Counted(int pieces) : IScanWork
    {
        internal int[] Counts { get; } = new int[pieces];

        void IScanWork.Do(int piece, PageScan scan) => Counts[piece]++;
    }

    /// <summary>Two pieces that wait for each other, so that they need two threads.</summary>
    private sealed class Meeting : IScanWork, IDisposable
    {
        private readonly Barrier _both = new(2);

        internal int[] Threads { get; } = new int[2];

        void IScanWork.Do(int piece, PageScan scan)
        {
            Threads[piece] = Environment.CurrentManagedThreadId;
            Assert.True(_both.SignalAndWait(TimeSpan.FromMinutes(1)));
        }

        public void Dispose() => _both.Dispose();
    }

    private sealed class Failing(int at) : IScanWork
    {
        void IScanWork.Do(int piece, PageScan scan)
        {
            if (piece == at) throw new InvalidTimeZoneException("a piece fails");
        }
    }
}
