using System.Diagnostics;
using System.Runtime.Versioning;

namespace Snapshot.Tool.Supervision;

/// <summary>
/// Ends the program with its supervisor, whatever ends that: the kernel sends SIGTERM to a process that asked
/// for it when the thread that started it is gone (PR_SET_PDEATHSIG). Only the process itself can ask,
/// between fork and exec, where .NET runs no code of ours; setpriv of util-linux does it, and then becomes
/// the program.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class ParentDeath
{
    private const string Signal = "TERM";

    /// <summary>
    /// What to put before the program; nothing where setpriv is missing or does not know the option.
    /// </summary>
    internal static IReadOnlyList<string> Prefix()
    {
        if (ProgramFile.InPath("setpriv") is not { } setpriv) return [];
        string[] prefix = [setpriv, "--pdeathsig", Signal, "--"];
        using Process trial = Process.Start(
            new ProcessStartInfo(setpriv, [.. prefix[1..], setpriv, "--version"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        trial.WaitForExit();
        return trial.ExitCode == 0 ? prefix : [];
    }
}
