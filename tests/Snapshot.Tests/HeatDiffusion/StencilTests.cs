using HeatDiffusion;
using Xunit;

namespace Snapshot.Tests.HeatDiffusion;

/// <summary>The stencil against the formula written down once more, without vectors.</summary>
public sealed unsafe class StencilTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(37)]
    [InlineData(66)]
    public void Sweeps_equal_the_plain_formula_bit_for_bit(int size)
    {
        double[] expected = PlainHeat.RandomField(size, seed: size);
        double[] even = [.. expected];
        double[] odd = [.. expected];
        for (int step = 0; step < 5; step++)
        {
            expected = PlainHeat.Sweep(expected, size);
            double[] source = step % 2 == 0 ? even : odd, target = step % 2 == 0 ? odd : even;
            fixed (double* from = source, to = target)
            {
                for (int row = 1; row < size - 1; row++) Stencil.SweepRow(from, to, size, row);
            }

            Assert.Equal(expected, target);
        }
    }

    [Fact]
    public void A_sum_of_a_row_leaves_out_its_ends()
    {
        double[] field = [100, 100, 100, 100, 100, 1, 2, 100];
        fixed (double* at = field) Assert.Equal(3, Stencil.SumRow(at, 4, 1));
    }

    [Fact]
    public void The_initial_field_is_the_picture_stretched()
    {
        GreyImage image = new(2, 2, 4, [0, 1, 2, 4]);
        double[] field = new double[16];
        fixed (double* at = field) InitialField.Fill(image, 4, at);
        Assert.Equal([0, 0, 25, 25, 0, 0, 25, 25, 50, 50, 100, 100, 50, 50, 100, 100], field);
    }
}
