using System.CommandLine;
using HeatDiffusion;
using KillDemo;
using Xunit;

namespace Snapshot.Tests.HeatDiffusion;

/// <summary>What the sample says to a wrong command line, and what it makes of a right one.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--sise 128", "Unrecognized command or argument '--sise'.")]
    [InlineData("rum", "Unrecognized command or argument 'rum'.")]
    [InlineData("--size abc", "Option '--size': 'abc' is not a whole number, or far too large.")]
    [InlineData("--size 15", "Option '--size': 15 is not between 16 and 16384.")]
    [InlineData("--steps 0", "Option '--steps': 0 is not between 1 and 100000000.")]
    [InlineData("--threads 257", "Option '--threads': 257 is not between 1 and 256.")]
    [InlineData("--kills -1", "Option '--kills': -1 is not between 0 and 100000.")]
    [InlineData(
        "--every-steps 1e3", "Option '--every-steps': '1e3' is not a whole number, or far too large.")]
    [InlineData(
        "--seed 99999999999", "Option '--seed': '99999999999' is not a whole number, or far too large.")]
    [InlineData("--size 16 --threads 15", "Option '--threads': there are more threads than rows")]
    [InlineData("run --size 64", "Option '--store': a run needs a directory")]
    public void A_wrong_option_is_named_with_its_bounds(string line, string expected)
    {
        RootCommand root = CommandLine.Build(_ => Task.FromResult(0), (_, _) => Task.FromResult(0));
        Assert.Contains(
            CommandLine.Misuses(root.Parse(line.Split(' '))),
            misuse => misuse.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Options_reach_the_demo_and_the_defaults_are_filled_in()
    {
        DemoOptions? seen = null;
        RootCommand root = CommandLine.Build(
            options => Task.FromResult((seen = options) is null ? 1 : 0), (_, _) => Task.FromResult(0));
        ParseResult parsed =
            root.Parse(["--size", "64", "--seed=-7", "--store", "/tmp/two words", "--fibers", "--json"]);
        Assert.Empty(CommandLine.Misuses(parsed));
        await parsed.InvokeAsync();
        string output = Path.Combine(Path.GetTempPath(), "heat-diffusion.pgm");
        HeatOptions heat = new(
            64, 6000, 4, 200, "/tmp/two words", HeatOptions.ShippedInput, output, UsesFibers: true);
        Assert.Equal(new DemoOptions(heat, 5, -7, IsJson: true, KeepsDirectory: true), seen);
    }

    [Fact]
    public async Task A_run_gets_its_options_too()
    {
        (HeatOptions Options, bool IsJson)? seen = null;
        RootCommand root = CommandLine.Build(_ => Task.FromResult(1), (options, isJson) =>
        {
            seen = (options, isJson);
            return Task.FromResult(0);
        });
        ParseResult parsed =
            root.Parse(["run", "--store", "/tmp/heat", "--threads", "2", "--every-steps", "0"]);
        Assert.Empty(CommandLine.Misuses(parsed));
        Assert.Equal(0, await parsed.InvokeAsync());
        HeatOptions expected = new(
            1024, 6000, 2, 0, "/tmp/heat", HeatOptions.ShippedInput, null, UsesFibers: false);
        Assert.Equal((expected, false), seen);
    }

    [Fact]
    public async Task What_the_demo_gives_its_runs_says_the_same()
    {
        HeatOptions options = new(
            64, 77, 3, 0, "/tmp/two words", "/tmp/in.pgm", "/tmp/out.pgm", UsesFibers: true);
        HeatOptions? seen = null;
        RootCommand root = CommandLine.Build(
            _ => Task.FromResult(1), (arrived, _) => Task.FromResult((seen = arrived) is null ? 1 : 0));
        await root.Parse(["run", .. options.ToArguments()]).InvokeAsync();
        Assert.Equal(options, seen);
    }
}
