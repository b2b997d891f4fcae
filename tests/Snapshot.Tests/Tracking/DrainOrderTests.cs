using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

public sealed class DrainOrderTests
{
    [Fact]
    public void Blocks_come_as_they_are_given_and_copied_ones_last()
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
        foreach (long block in new DrainOrder([1, 2, 3, 4, 5, 6], copied.Contains, () => isShort).Take())
        {
            taken.Add(block);
            copied.Remove(block);
            isShort = taken.Count is >= 2 and < 4;
        }

        Assert.Equal([2, 3, 1, 6, 4, 5], taken);
    }

    [Fact]
    public void Each_block_comes_once_whatever_is_copied_meanwhile()
    {
        Random random = new(1);
        for (int round = 0; round < 200; round++)
        {
            long[] blocks = [.. Enumerable.Range(0, random.Next(40)).Select(block => (long)block)];
            random.Shuffle(blocks);
            HashSet<long> copied = [];
            DrainOrder order = new(blocks, copied.Contains, () => random.Next(2) == 0);
            List<long> taken = [];
            foreach (long block in order.Take())
            {
                taken.Add(block);
                copied.Remove(block);
                long other = random.Next(40);
                if (!taken.Contains(other)) copied.Add(other);
            }

            Assert.Equal(blocks.Order(), taken.Order());
        }
    }

    private static IEnumerable<long> Order(long[] blocks, long[] copied, bool isShort) =>
        new DrainOrder(blocks, copied.Contains, () => isShort).Take();
}
