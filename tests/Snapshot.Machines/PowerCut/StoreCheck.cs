using System.Globalization;
using System.Text.Json;
using Snapshot.Tool;
using Snapshot.Tool.Output;

namespace Snapshot.Machines.PowerCut;

/// <summary>
/// Holds what a cut left to what was promised: `snapshot list` and `snapshot verify` find each acknowledged
/// generation whole, and the run goes on from there to the same result.
/// </summary>
/// <param name="result">The line that tells the result of the run that was not cut off.</param>
internal sealed class StoreCheck(string result)
{
    /// <summary>Generations that stay: <see cref="RetentionPolicy.KeepLast"/> by default.</summary>
    private static readonly int s_kept = new RetentionPolicy().KeepLast;

    /// <summary>What is wrong; null when nothing is.</summary>
    /// <param name="run">The folder of the run as the cut left it.</param>
    /// <param name="acknowledged">The generations that were acknowledged before the cut.</param>
    internal static async Task<string?> FindAsync(string run, IReadOnlyCollection<long> acknowledged)
    {
        if (acknowledged.Count == 0) return null;
        string store = Path.Combine(run, "store");
        HostProgram list = await ToolAsync("list", store, "--json").ConfigureAwait(false);
        if (list.ExitCode != 0) return Failure("list", list);
        using JsonDocument generations = JsonDocument.Parse(list.Output);
        long[] present = [.. generations.RootElement.EnumerateArray()
            .Select(entry => entry.GetProperty("generation").GetInt64())];

        // An older one may have been pruned: then as many younger ones as are kept are there.
        foreach (long generation in acknowledged.OrderDescending())
        {
            if (present.Contains(generation) || present.Count(other => other > generation) >= s_kept)
                continue;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"generation {generation} was acknowledged, and there are only " +
                $"[{string.Join(", ", present)}]");
        }

        HostProgram verify = await ToolAsync("verify", store).ConfigureAwait(false);
        return verify.ExitCode == 0 ? null : Failure("verify", verify);
    }

    /// <summary>Lets the run go on from what a cut left, to its end; what is wrong, or null.</summary>
    internal string? GoOn(string run)
    {
        Directory.CreateDirectory(run);
        HostProgram going = HostProgram.Run(
            Path.Combine(AppContext.BaseDirectory, "HeatDiffusion"),
            ["run", .. Recording.Arguments.Split(' '), "--store", run]);
        if (going.ExitCode != 0)
            return $"the run does not go on: it ended with exit code {going.ExitCode}: {going.Error.Trim()}";
        string last = going.Output.TrimEnd().Split('\n')[^1];
        return last == result ? null : $"the run went on and came to another result: {last}, not {result}";
    }

    private static string Failure(string command, HostProgram run) => string.Create(
        CultureInfo.InvariantCulture,
        $"`snapshot {command}` ended with exit code {run.ExitCode}: {run.Output}{run.Error.Trim()}");

    /// <summary>The command `snapshot` in this process, which is faster for hundreds of stores.</summary>
    private static async Task<HostProgram> ToolAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        ToolConsole console = new(output, error, isOutputTerminal: false, isErrorTerminal: false);
        int code = await SnapshotTool.RunAsync(arguments, console).ConfigureAwait(false);
        return new HostProgram(code, output.ToString(), error.ToString());
    }
}
