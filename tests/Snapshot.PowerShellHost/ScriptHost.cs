using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Snapshot.PowerShellHost;

/// <summary>
/// Runs a script (its path, then its arguments) in the real PowerShell engine, where no pwsh is installed. A
/// process of its own, because the engine's environment variables and console are those of the process.
/// </summary>
public static class ScriptHost
{
    /// <summary>The exit code of a script that threw.</summary>
    private const int ScriptThrew = 99;

    /// <summary>Runs the script and returns its exit code.</summary>
    public static int Main(string[] args)
    {
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript($"& {string.Join(' ', args.Select(Typed))}; [Environment]::ExitCode = $LASTEXITCODE");
        try
        {
            foreach (PSObject? written in shell.Invoke()) Console.Out.WriteLine(written);
            foreach (ErrorRecord error in shell.Streams.Error) Console.Error.WriteLine(error);
            return Environment.ExitCode;
        }
        catch (RuntimeException error)
        {
            Console.Error.WriteLine($"{error.Message}\n{error.ErrorRecord.ScriptStackTrace}");
            return ScriptThrew;
        }
    }

    /// <summary>
    /// The word as a user types it: bare where possible, so that the engine treats options as it does for
    /// them.
    /// </summary>
    private static string Typed(string word)
    {
        bool bare =
            word.Length > 0 &&
            word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-:=./".Contains(letter));
        return bare ? word : $"'{word.Replace("'", "''", StringComparison.Ordinal)}'";
    }
}
