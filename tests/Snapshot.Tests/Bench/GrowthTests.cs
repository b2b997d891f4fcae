using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

public class GrowthTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(-2)]
    public void The_exponent_of_a_power_is_found(double exponent)
    {
        Growth growth =
            Growth.Of(Enumerable.Range(1, 5).Select(x => ((double)x, 3 * Math.Pow(x, exponent))))!.Value;
        Assert.Equal(exponent, growth.Exponent, 9);
        Assert.Equal(3 * Math.Pow(1024, exponent), growth.At(1024), 6);
    }

    [Fact]
    public void One_quantity_or_no_figure_has_no_growth()
    {
        Assert.Null(Growth.Of([(2, 5), (2, 6)]));
        Assert.Null(Growth.Of([(1, 0), (2, 5), (3, double.NaN)]));
    }
}
