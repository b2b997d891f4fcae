using System.CommandLine;
using Snapshot.Tool.Commands;

namespace Snapshot.Tool;

/// <summary>What the exit status of the process means. A promise to scripts: never renumber.</summary>
internal static class ExitCode
{
    internal const int Fine = 0;
    internal const int Damage = 1;
    internal const int Usage = 2;
    internal const int Environment = 3;
    internal const int Busy = 4;
    internal const int NotExecutable = 126;
    internal const int NoProgram = 127;
    internal const int Interrupted = 130;

    /// <summary>As the help and docs/TOOL.md show them.</summary>
    internal static readonly IReadOnlyList<(int Code, string Meaning)> All =
    [
        (Fine, "done, and nothing is wrong"),
        (Damage, "a check failed: the store is damaged, or this machine cannot run Snapshot"),
        (Usage, "the command line is wrong"),
        (Environment, "no such store, generation or process, no permission, or reading or writing failed"),
        (Busy, "another process has the store open for writing"),
        (NotExecutable, "run, exec: the program was found but cannot be executed"),
        (NoProgram, "run, exec: there is no such program"),
        (Interrupted, "interrupted; the store is unchanged or consistent"),
    ];

    /// <summary>Those with which a command can end.</summary>
    internal static IEnumerable<(int Code, string Meaning)> Of(Command command) =>
        All.Where(
            exit => exit.Code is not (NotExecutable or NoProgram)
                || command is RootCommand || command.Name is "run" or "exec");
}
