using CsCheck;
using Snapshot.Base;
using Xunit;

namespace Snapshot.Tests.Base;

public sealed class PageBitmapTests
{
    private const int Capacity = 300;

    private static readonly Gen<(int Operation, PageRange Range)> s_step =
        from operation in Gen.Int[0, 5]
        from start in Gen.Int[0, Capacity]
        from count in Gen.Int[0, 130]
        select (operation, new PageRange(start, Math.Min(count, Capacity - start)));

    [Fact]
    public void It_behaves_like_a_set_of_numbers() => s_step.Array[1, 60].Sample(steps =>
    {
        using PageBitmap bitmap = new(Capacity), other = new(Capacity);
        HashSet<long> model = [], otherModel = [];
        foreach ((int operation, PageRange range) in steps)
        {
            IEnumerable<long> pages =
                Enumerable.Range((int)range.Start, (int)range.Count).Select(page => (long)page);
            switch (operation)
            {
                case 0: bitmap.Add(range); model.UnionWith(pages); break;
                case 1: bitmap.Remove(range); model.ExceptWith(pages); break;
                case 2: other.AddShared(range); otherModel.UnionWith(pages); break;
                case 3: bitmap.UnionWith(other); model.UnionWith(otherModel); break;
                case 4: bitmap.ExceptWith(other); model.ExceptWith(otherModel); break;
                default: other.MoveSharedTo(bitmap); model.UnionWith(otherModel); otherModel.Clear(); break;
            }
        }

        Assert.Equal(model.Order(), Members(bitmap));
        Assert.Equal(otherModel.Order(), Members(other));
        Assert.Equal(model.Count, bitmap.Count());
        Assert.All(
            Enumerable.Range(0, Capacity), page => Assert.Equal(model.Contains(page), bitmap.Contains(page)));
        bitmap.Clear();
        Assert.Equal(0, bitmap.Count());
        Assert.False(bitmap.NextRun(0, out _));
    });

    [Fact]
    public void Runs_are_as_long_as_they_can_be()
    {
        using PageBitmap bitmap = new(Capacity);
        bitmap.Add(new PageRange(10, 60));
        bitmap.Add(new PageRange(70, 5));
        bitmap.Add(new PageRange(290, 10));
        Assert.True(bitmap.NextRun(0, out PageRange first));
        Assert.Equal(new PageRange(10, 65), first);
        Assert.True(bitmap.NextRun(first.End, out PageRange last));
        Assert.Equal(new PageRange(290, 10), last);
        Assert.False(bitmap.NextRun(last.End, out _));
    }

    [Fact]
    public void No_page_added_while_the_set_is_moved_away_is_lost()
    {
        const int pages = 64 * 200;
        using PageBitmap shared = new(pages), moved = new(pages);
        using Barrier start = new(2);
        Thread adder = new(() =>
        {
            start.SignalAndWait();
            for (int page = 0; page < pages; page++) shared.AddShared(new PageRange(page, 1));
        });
        adder.Start();
        start.SignalAndWait();
        while (adder.IsAlive) shared.MoveSharedTo(moved);
        shared.MoveSharedTo(moved);
        Assert.Equal(pages, moved.Count());
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(Capacity, 1)]
    [InlineData(0, Capacity + 1)]
    [InlineData(1, long.MaxValue)]
    public void A_range_outside_the_capacity_is_refused(long start, long count)
    {
        using PageBitmap bitmap = new(Capacity);
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Add(new PageRange(start, count)));
        Assert.Equal(0, bitmap.Count());
    }

    private static IEnumerable<long> Members(PageBitmap bitmap)
    {
        for (long at = 0; bitmap.NextRun(at, out PageRange run); at = run.End)
        {
            for (long page = run.Start; page < run.End; page++) yield return page;
        }
    }
}
