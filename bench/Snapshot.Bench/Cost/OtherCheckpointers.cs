using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>Which checkpointers of whole processes are installed, and whether they work here.</summary>
internal static class OtherCheckpointers
{
    /// <summary>A sentence for each.</summary>
    internal static string Describe() => $"{OfCriu()} {OfDmtcp()}";

    private static string OfCriu()
    {
        if (!IsOnPath("criu")) return "CRIU is not on the PATH.";
        using Process check = Process.Start(
            new ProcessStartInfo("criu", "check")
            {
                RedirectStandardError = true,
                RedirectStandardOutput =
                true
            })!;
        Task<string> output = check.StandardOutput.ReadToEndAsync();
        string[] lines = check.StandardError.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _ = output.GetAwaiter().GetResult();
        check.WaitForExit();
        return check.ExitCode == 0
            ? "CRIU is on the PATH and works, and is not run by this scenario."
            : "CRIU is on the PATH and does not work here: criu check says " +
                $"'{string.Join("; ", lines.Distinct())}'.";
    }

    private static string OfDmtcp() => IsOnPath("dmtcp_launch")
        ? "DMTCP is on the PATH, and is not run by this scenario."
        : "DMTCP is not on the PATH.";

    private static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
