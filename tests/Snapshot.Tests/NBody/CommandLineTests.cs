using System.CommandLine;
using KillDemo;
using NBody;
using Xunit;

namespace Snapshot.Tests.NBody;

/// <summary>What the sample says to a wrong command line, and what it makes of a right one.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--body 128", "Unrecognized command or argument '--body'.")]
    [InlineData("--bodies 3", "Option '--bodies': 3 is not between 4 and 1000000.")]
    [InlineData("--bodies many", "Option '--bodies': 'many' is not a whole number, or far too large.")]
    [InlineData("--fibers 0", "Option '--fibers': 0 is not between 1 and 1000000.")]
    [InlineData("--threads 257", "Option '--threads': 257 is not between 1 and 256.")]
    [InlineData("--steps 0", "Option '--steps': 0 is not between 1 and 100000000.")]
    [InlineData("--kills -1", "Option '--kills': -1 is not between 0 and 100000.")]
    [InlineData(
        "--bodies 10 --fibers 4", "Option '--fibers': 10 bodies are tiles of 4 for 3 fibers at most;")]
    [InlineData("--fibers 3 --threads 4", "Option '--threads': there are more threads than fibers;")]
    [InlineData("run --bodies 64 --fibers 16", "Option '--store': a run needs a directory")]
    public void A_wrong_option_is_named_with_its_bounds(string line, string expected)
    {
        RootCommand root = CommandLine.Build(_ => Task.FromResult(0), (_, _) => Task.FromResult(0));
        Assert.Contains(
            CommandLine.Misuses(root.Parse(line.Split(' '))),
            misuse => misuse.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_demo_gives_its_runs_says_the_same()
    {
        DemoOptions? demo = null;
        NBodyOptions? run = null;
        RootCommand root = CommandLine.Build(
            options => Task.FromResult((demo = options) is null ? 1 : 0),
            (options, _) => Task.FromResult((run = options) is null ? 1 : 0));
        ParseResult parsed = root.Parse(
            ["--bodies", "66", "--fibers", "5", "--threads", "3", "--kills", "7", "--store",
                "/tmp/two words"]);
        Assert.Empty(CommandLine.Misuses(parsed));
        await parsed.InvokeAsync();
        NBodyOptions expected = new(66, 5, 100, 3, 4, "/tmp/two words");
        Assert.Equal(new DemoOptions(expected, 7, 1, IsJson: false, KeepsDirectory: true), demo);

        await root.Parse(["run", .. demo!.Run.ToArguments()]).InvokeAsync();
        Assert.Equal(expected, run);
    }
}
