using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>Which pages a round of the bench writes.</summary>
public sealed class PagePatternTests
{
    [Theory]
    [InlineData(1000, 1, true)]
    [InlineData(1000, 1, false)]
    [InlineData(997, 37.5, false)]
    [InlineData(64, 100, true)]
    [InlineData(64, 100, false)]
    [InlineData(3, 0.1, false)]
    public void Pages_are_distinct_ascending_and_as_many_as_asked_for(
        long pages, double percent, bool isDense)
    {
        const int Seed = 5;
        PagePattern pattern = new(pages, percent, isDense);
        long[] chosen = pattern.Choose(new Random(Seed));
        Assert.Equal(Math.Max(1, (long)(pages * percent / 100)), chosen.Length);
        Assert.True(
            chosen.SequenceEqual(chosen.Distinct().Order()), $"seed {Seed}: {string.Join(' ', chosen)}");
        Assert.InRange(chosen[0], 0, pages - 1);
        Assert.InRange(chosen[^1], 0, pages - 1);
    }

    [Fact]
    public void Dense_pages_are_one_range()
    {
        const int Seed = 6;
        long[] chosen = new PagePattern(500, 20, IsDense: true).Choose(new Random(Seed));
        Assert.True(chosen[^1] - chosen[0] == 99, $"seed {Seed}: {string.Join(' ', chosen)}");
    }
}
