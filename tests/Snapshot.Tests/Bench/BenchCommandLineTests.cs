using System.CommandLine;
using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>What the bench's command lines accept.</summary>
public sealed class BenchCommandLineTests
{
    private static readonly string[] s_modes = [.. SharedOptions.CaptureModes.Where(mode => mode != "auto")];

    [Theory]
    [InlineData("4096", 4096L)]
    [InlineData("5000", 4096L)]
    [InlineData("64KiB", 65536L)]
    [InlineData("1.5mib", 1572864L)]
    [InlineData("8GiB", 8589934592L)]
    [InlineData("8GB", null)]
    [InlineData("-1", null)]
    [InlineData("", null)]
    [InlineData("1e30GiB", null)]
    public void A_size_is_a_number_of_bytes_or_has_a_unit(string text, long? bytes) =>
        Assert.Equal(bytes, SharedOptions.SizeOf(text));

    [Fact]
    public void Every_capture_mode_is_offered()
    {
        foreach (string name in Enum.GetNames<CaptureMode>())
        {
            Assert.Empty(BenchRoot.Create().Parse(["pause", "--mode", name.ToLowerInvariant()]).Errors);
            Assert.Equal(name, SharedOptions.ParseMode(name.ToLowerInvariant()).ToString());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_command_that_the_results_name_is_one(bool isQuick)
    {
        RootCommand root = BenchRoot.Create();
        IReadOnlyList<ResultsPart> parts = ResultsPlan.Of(isQuick, s_modes);
        Assert.Equal(parts.Count, parts.Select(part => part.Id).Distinct().Count());
        Assert.All(parts, part =>
        {
            ParseResult parsed = root.Parse(part.Arguments);
            Assert.Empty(parsed.Errors);
            Assert.IsType<BenchCommand>(parsed.CommandResult.Command);
        });
    }

    [Theory]
    [InlineData("pause --mdoe stage", "--mdoe")]
    [InlineData("pause --mode stgae", "stgae")]
    [InlineData("pause --arena 4GB", "4GB")]
    [InlineData("pause --arena 4KiB", "at least 1MiB")]
    [InlineData("pause --dirty 10 0", "more than 0")]
    [InlineData("restart --mode fast", "fast")]
    [InlineData("tracking --tracking served", "served")]
    [InlineData("tracking --pages large", "large")]
    [InlineData("interference --every 0", "0.01 to 3600")]
    [InlineData("crowd --threads 4 0", "1 to 1024")]
    [InlineData("scale --arenas 1 65", "1 to 64")]
    [InlineData("simulate --levels own tape", "tape")]
    [InlineData("simulate --interval often", "auto, young, daly, or seconds")]
    [InlineData("simulate --keeps-disk 101", "0 to 100")]
    public void What_is_wrong_is_named(string line, string part) =>
        Assert.Contains(
            BenchRoot.Create().Parse(line.Split(' ')).Errors,
            error => error.Message.Contains(part, StringComparison.Ordinal));

    [Fact]
    public void More_than_there_is_is_refused_with_what_there_is()
    {
        RequirementException memory = Assert.Throws<RequirementException>(
            () => Requirements.Memory(1L << 60, "a test"));
        Assert.Contains("a test", memory.Message, StringComparison.Ordinal);
        Assert.Contains("are available", memory.Message, StringComparison.Ordinal);
        RequirementException disk = Assert.Throws<RequirementException>(
            () => Requirements.Disk(Path.GetTempPath(), 1L << 60, "a test"));
        Assert.Contains("are free", disk.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetTempPath(), disk.Reason, StringComparison.Ordinal);
        Assert.Throws<RequirementException>(() => Requirements.Program("a-program-that-is-not-there"));
    }
}
