using System.Text;
using HeatDiffusion;
using KillDemo;
using Xunit;

namespace Snapshot.Tests.HeatDiffusion;

/// <summary>Pictures, good and bad.</summary>
public sealed class PgmTests
{
    [Theory]
    [InlineData("P2 3 1 9 0 4 9")]
    [InlineData("P2\n# a comment\n3 # another\n1\n9\n0\n4\n9\n")]
    [InlineData("P5 3 1 9\n\u0000\u0004\u0009")]
    [InlineData("P5\n# a comment\r\n3 1\n9 \u0000\u0004\u0009")]
    public void Text_and_binary_pictures_are_read(string text)
    {
        GreyImage image = Parse(text);
        Assert.Equal((3, 1, 9), (image.Width, image.Height, image.Max));
        Assert.Equal([0, 4, 9], image.Values);
    }

    [Fact]
    public void Values_of_two_bytes_have_the_high_one_first() =>
        Assert.Equal([0x0102, 0x0003], Parse("P5 2 1 65535\n\u0001\u0002\u0000\u0003").Values);

    [Theory]
    [InlineData("", "does not begin with P2 or P5")]
    [InlineData("P6 1 1 255 \u0000", "does not begin with P2 or P5")]
    [InlineData("P2", "the width is missing at byte 2")]
    [InlineData("P2 3", "the height is missing at byte 4")]
    [InlineData("P2 x 1 9 0", "the width is missing at byte 3")]
    [InlineData("P2 0 1 9 0", "the width at byte 3 is not between 1 and 32768")]
    [InlineData("P2 1 99999999999999999999 9 0", "the height at byte 5 is not between 1 and 32768")]
    [InlineData("P2 1 1 65536 0", "the largest value at byte 7 is not between 1 and 65535")]
    [InlineData("P2 2 1 9 1 10", "a value at byte 11 is not between 0 and 9")]
    [InlineData("P2 2 2 9 1 2 3", "too few for 2 x 2")]
    [InlineData("P5 2 1 9", "white space is missing at byte 8")]
    [InlineData("P5 2 1 9\n\u0001", "it ends after 1 bytes of values, too few for 2 x 1")]
    [InlineData("P5 2 1 9\n\u0001\u000a", "value 1 is 10, more than the largest, 9")]
    [InlineData("P5 30000 30000 9\n\u0001", "too few for 30000 x 30000")]
    public void A_bad_picture_is_an_error_that_says_where(string text, string expected) =>
        Assert.Contains(
            expected, Assert.Throws<FormatException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_picture_written_is_read_again_and_the_shipped_one_is_good()
    {
        string path = Path.GetTempFileName();
        try
        {
            Pgm.Write(path, 2, 2, [1, 2, 3, 255]);
            Assert.Equal([1, 2, 3, 255], Pgm.Read(path).Values);
        }
        finally
        {
            File.Delete(path);
        }

        GreyImage shipped = Pgm.Read(HeatOptions.ShippedInput);
        Assert.Equal((256, 256), (shipped.Width, shipped.Height));
        Assert.True(shipped.Values.Distinct().Count() > 4);
    }

    [Fact]
    public void An_unreadable_picture_is_named() =>
        Assert.Contains(
            "/no/such.pgm",
            Assert.Throws<RunException>(() => Pgm.Read("/no/such.pgm")).Message,
            StringComparison.Ordinal);

    private static GreyImage Parse(string text) => Pgm.Parse(Encoding.Latin1.GetBytes(text));
}
