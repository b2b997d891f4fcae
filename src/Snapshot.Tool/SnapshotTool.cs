using System.CommandLine;
using System.CommandLine.Help;
using Snapshot.Tool.Commands;
using Snapshot.Tool.Output;

namespace Snapshot.Tool;

/// <summary>The command <c>snapshot</c>: its subcommands, and what becomes of errors.</summary>
internal static class SnapshotTool
{
    internal static RootCommand CreateRoot(ToolConsole console)
    {
        RootCommand root = new("Looks after stores of Snapshot images, and after processes that make them.")
        {
            new ListCommand(console),
            new ShowCommand(console),
            new ExtractCommand(console),
            new VerifyCommand(console),
            new CompactCommand(console),
            new PruneCommand(console),
            new RollbackCommand(console),
            new RecoverCommand(console),
            new DoctorCommand(console),
#if !WITHOUT_STACKS
            new StacksCommand(console),
#endif
            new RunCommand(console),
            new MpiCommand(console),
#if WITHOUT_NATIVE_THREADS
            new ExecElsewhereCommand(console),
#else
            new ExecCommand(console),
#endif
        };
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExitCodes((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Runs one command line; never throws what a user can cause.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static async Task<int> RunAsync(
        IReadOnlyList<string> args, ToolConsole console, CancellationToken cancellation = default)
    {
        ParseResult parsed = CreateRoot(console).Parse(args);
        bool wantsHelp = parsed.Action is HelpWithExitCodes;
        if (!wantsHelp && (parsed.Errors.Count > 0 || UsageErrors.OptionAsArgument(parsed) is not null))
            return UsageErrors.Report(parsed, console);

        InvocationConfiguration configuration = new()
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
        };
        try
        {
            return await parsed.InvokeAsync(configuration, cancellation);
        }
        catch (Exception error) when (ToolErrors.ExitCodeOf(error) is { } exitCode)
        {
            console.Fail(ToolErrors.Describe(error));
            return exitCode;
        }
    }
}
