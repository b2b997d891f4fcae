using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Snapshot.Tool;
using Snapshot.Tool.Output;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>One run of the command: what it printed on either side, and its exit code.</summary>
internal sealed record ToolRun(int ExitCode, string Out, string Error)
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(60);

    /// <summary>In this process, through the root command.</summary>
    internal static Task<ToolRun> Here(params string[] args) => Here(120, args);

    /// <summary>The same as if the terminal had that many columns.</summary>
    internal static async Task<ToolRun> Here(int width, params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int exitCode = await SnapshotTool.RunAsync(
            args, new ToolConsole(output, error, isOutputTerminal: false, isErrorTerminal: false, width));
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>As a process of its own, from the given folder or from where the tests are.</summary>
    internal static ToolRun Process(string? folder, params string[] args)
    {
        string program = Path.Combine(folder ?? AppContext.BaseDirectory, "Snapshot.Tool.dll");
        using Process process = System.Diagnostics.Process.Start(
            new ProcessStartInfo(Dotnet, ["exec", program, .. args])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_hang))
        {
            process.Kill();
            Assert.Fail($"snapshot {string.Join(' ', args)} did not end within {s_hang}");
        }

        return new ToolRun(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>
    /// The dotnet that runs the tests: two folders above shared/Microsoft.NETCore.App/VERSION.
    /// </summary>
    internal static string Dotnet =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    /// <summary>The output, which must be one JSON value and nothing else.</summary>
    internal JsonElement Json()
    {
        using JsonDocument document = JsonDocument.Parse(Out);
        return document.RootElement.Clone();
    }

    /// <summary>Checks a run that must fail with one sentence and print no result.</summary>
    internal string FailsWith(int exitCode)
    {
        Assert.Equal(exitCode, ExitCode);
        Assert.Equal("", Out);
        Assert.StartsWith("snapshot: ", Error, StringComparison.Ordinal);
        return Error;
    }
}
