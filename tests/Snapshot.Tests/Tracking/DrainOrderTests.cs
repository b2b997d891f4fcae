using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

public sealed class DrainOrderTests
{
    [Fact]
    public void Spans_come_as_they_are_given_and_copied_ones_last()
    {
        Assert.Equal([7, 3, 9], Order([7, 3, 9], copied: [], isShort: false));
        Assert.Equal([7, 9, 4, 3, 5], Order([3, 7, 5, 9, 4], copied: [3, 5], isShort: false));
        Assert.Empty(Order([], copied: [], isShort: true));
    }

    [Fact]
    public void Where_memory_for_copies_is_short_the_copied_ones_come_first_wherever_they_are() =>
        Assert.Equal([5, 4, 3, 7, 9], Order([3, 7, 5, 9, 4], copied: [5, 4], isShort: true));

    [Fact]
    public void Memory_that_becomes_short_brings_what_was_passed_over_and_what_is_still_to_come()
    {
        HashSet<long> copied = [1, 6];
        bool isShort = false;
        List<long> taken = [];
        foreach (long span in new DrainOrder([1, 2, 3, 4, 5, 6], copied.Contains, () => isShort).Take())
        {
            taken.Add(span);
            copied.Remove(span);
            isShort = taken.Count is >= 2 and < 4;
        }

        Assert.Equal([2, 3, 1, 6, 4, 5], taken);
    }

    [Fact]
    public void Each_span_comes_once_whatever_is_copied_meanwhile()
    {
        Random random = new(1);
        for (int round = 0; round < 200; round++)
        {
            long[] spans = [.. Enumerable.Range(0, random.Next(40)).Select(span => (long)span)];
            random.Shuffle(spans);
            HashSet<long> copied = [];
            DrainOrder order = new(spans, copied.Contains, () => random.Next(2) == 0);
            List<long> taken = [];
            foreach (long span in order.Take())
            {
                taken.Add(span);
                copied.Remove(span);
                long other = random.Next(40);
                if (!taken.Contains(other)) copied.Add(other);
            }

            Assert.Equal(spans.Order(), taken.Order());
        }
    }

    private static IEnumerable<long> Order(long[] spans, long[] copied, bool isShort) =>
        new DrainOrder(spans, copied.Contains, () => isShort).Take();
}
