using System.CommandLine;
using Snapshot.Tool.Execution;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>
/// <c>snapshot exec STORE -- PROGRAM [ARG…]</c>: runs a C program that is captured at any instruction.
/// </summary>
internal sealed class ExecCommand : Command
{
    private const double EveryByDefault = 60;
    private const int StackByDefault = 64;

    internal ExecCommand(ToolConsole console)
        : base(
            "exec",
            "Runs a C program, its source unchanged, that 'snapshot-cc --program' has linked: takes " +
            "checkpoints of it at any instruction, and with the same store goes on where it stood, its " +
            "files included. Ends with the program's exit code, or 128 + n if signal n ended it. SIGINT " +
            "and SIGTERM take a last checkpoint and end it; SIGUSR1 and SIGUSR2 take one.")
    {
        Argument<string> store = CommandParts.Store();
        Argument<string[]> program = new("PROGRAM")
        {
            Description =
                "After '--': the program and its arguments, as in 'snapshot-cc --program gcc -O2 heat.c -o " +
                "heat -lm' and 'snapshot exec heat.store --every 30 -- ./heat 100'. Supervised: 'snapshot " +
                "run --store heat.store -- snapshot exec heat.store -- ./heat 100'.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<double> every = CommandParts.Seconds(
            "--every", EveryByDefault,
            "How long the program runs between two checkpoints; 0: none by time.");
        Option<int> stack = CommandParts.Count(
            "--stack", 1,
            "The program's stack in MiB, when it begins; memory that is not used costs nothing.");
        stack.DefaultValueFactory = _ => StackByDefault;
        Add(store);
        Add(program);
        Add(every);
        Add(stack);
        Option<double> wait = CommandParts.Wait();
        Add(wait);
        SetAction(parsed =>
        {
            string directory = parsed.GetRequiredValue(store);
            string[] line = parsed.GetRequiredValue(program);
            int behind = CommandParts.WordsBehindDashes(parsed);
            if (line.Length < behind)
                return UsageErrors.ReportMissing($"{store.Name}: {store.Description}", parsed, console);
            if (directory.StartsWith('-')) return UsageErrors.ReportMisplaced(directory, parsed, console);
            if (line.Length > behind) return UsageErrors.ReportMisplaced(line[0], parsed, console);
            if (!OperatingSystem.IsLinux())
                throw new SnapshotException(
                    SnapshotErrorCode.Unsupported, "Programs are captured on Linux only.");
            ExecOptions options = new(
                directory,
                line,
                TimeSpan.FromSeconds(parsed.GetValue(every)),
                (long)parsed.GetValue(stack) << 20,
                new StoreOptions
                {
                    LockTimeout = TimeSpan.FromSeconds(parsed.GetValue(wait)),
                    Waiting = console.Note,
                });
            return new ProgramRun(options, console.Note).Run();
        });
    }
}
