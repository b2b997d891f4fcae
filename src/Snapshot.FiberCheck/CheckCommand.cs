namespace Snapshot.FiberCheck;

/// <summary>One run of the program.</summary>
internal static class CheckCommand
{
    /// <summary>Checks an assembly and prints a line for each error, as MSBuild knows errors.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static int Run(IReadOnlyList<string> args, TextWriter output)
    {
        try
        {
            IReadOnlyList<Finding> findings = FiberChecker.Check(CheckOptions.Parse(args));
            foreach (Finding finding in findings) output.WriteLine(finding);
            return findings.Count == 0 ? ExitCode.Clean : ExitCode.Refused;
        }
        catch (Exception error) when (error
            is CheckException or IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            string reason = error.Message.ReplaceLineEndings(" ");
            output.WriteLine($"Snapshot.FiberCheck : error {DiagnosticId.Unreadable}: {Named(args)}{reason}");
            return ExitCode.Unreadable;
        }
    }

    private static string Named(IReadOnlyList<string> args) =>
        args.Count > 0 ? $"'{args[0]}' cannot be checked: " : "";
}
