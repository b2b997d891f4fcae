using System.CommandLine;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary><c>snapshot exec</c> where native threads are not: it says where they are.</summary>
internal sealed class ExecElsewhereCommand : Command
{
    internal ExecElsewhereCommand(ToolConsole console)
        : base("exec", "Not in this command: it is in that of the .NET package Snapshot.Tool.")
    {
        TreatUnmatchedTokensAsErrors = false;
        SetAction(_ =>
        {
            console.Fail(
                "this command was compiled ahead of time, without the native threads that 'exec' needs. It " +
                "is in the command of the .NET package Snapshot.Tool: dotnet tool install --global " +
                "Snapshot.Tool.");
            return ExitCode.Environment;
        });
    }
}
