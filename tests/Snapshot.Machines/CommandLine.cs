using System.CommandLine;
using Snapshot.Machines.PowerCut;

namespace Snapshot.Machines;

/// <summary>The commands and their options.</summary>
internal static class CommandLine
{
    /// <summary>The command that a guest runs itself.</summary>
    internal const string RunTestsName = "run-tests";

    private static readonly Option<bool> s_root =
        new("--root") { Description = "The job runs as root in the guest." };

    private static readonly Option<bool> s_user =
        new("--user") { Description = "As an ordinary user: the default." };

    private static readonly Option<string> s_kernel = new("--kernel")
    {
        Description = "The version of the guest's kernel, such as 6.1 or 6.12.",
        HelpName = "version",
        DefaultValueFactory = _ => "6.1",
    };

    private static readonly Option<string> s_cache = new("--cache")
    {
        Description = "Where fetched packages are kept.",
        HelpName = "directory",
        DefaultValueFactory = _ => PackageCache.DefaultFolder,
    };

    private static readonly Option<int> s_silence = Number(
        "--silence", Machine.DefaultSilenceSeconds,
        "Seconds after which a guest that prints nothing is stuck.");

    private static readonly Option<int> s_kills = Number("--kills", 20, "How often the program is killed.");

    private static readonly Option<int> s_seed = Number("--seed", 1, "Of the random moments.");

    private static readonly Option<int> s_cuts = Number("--cuts", 100, "How often the power is cut.");

    private static readonly Option<string> s_fileSystem = new Option<string>("--filesystem")
    {
        Description = "What is on the disk whose power is cut.",
        DefaultValueFactory = _ => "ext4",
    }.AcceptOnlyFromAmong("ext4", "xfs");

    private static readonly Option<string?> s_withoutSync = new Option<string?>("--without-sync")
    {
        Description =
            "Syncs that are left out: then there are findings, or the check would be worth nothing.",
    }.AcceptOnlyFromAmong("manifest", "image", "directory", "all");

    private static readonly Argument<string[]> s_filter = new("FILTER")
    {
        Description = "Tests whose full name has one of these parts are run.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Argument<FileInfo> s_script = new Argument<FileInfo>("FILE")
    {
        Description = "It finds the programs in /app; `run NAME ARGUMENTS` starts one of them.",
    }.AcceptExistingOnly();

    private static readonly Argument<string> s_assembly = new("ASSEMBLY");

    internal static RootCommand Build()
    {
        RootCommand root = new(
            "Boots a guest with another Linux kernel, emulated, and runs programs of Snapshot in it. " +
            "Exit code 0 when all went right, 1 when not, 2 when something is missing here or on the " +
            "command line.");
        root.Add(Guest("doctor", "What the guest lets Snapshot do.", [], ProgramFolder.Samples, parsed =>
            GuestJobs.Doctor(parsed.GetValue(s_root))));
        foreach (Sample sample in Sample.All)
        {
            root.Add(Guest(
                sample.Command,
                $"Kills the sample {sample.Assembly} ({sample.About}) and compares the result.",
                [s_kills, s_seed], ProgramFolder.Samples,
                parsed => GuestJobs.Killed(
                    sample, parsed.GetValue(s_kills), parsed.GetValue(s_seed), parsed.GetValue(s_root))));
        }

        root.Add(Guest(
            "pause", "How long a checkpoint stops the application, as a ratio to memset and to content hash.",
            [],
            ProgramFolder.Samples, parsed => GuestJobs.Pause(parsed.GetValue(s_root))));
        Command tests = Guest("tests", "Runs tests of tests/Snapshot.Tests.", [], null, parsed =>
            GuestJobs.Tests(parsed.GetValue(s_filter)!, parsed.GetValue(s_root)));
        tests.Add(s_filter);
        root.Add(tests);

        Command script = Guest("script", "Runs a shell script of yours.", [], ProgramFolder.Samples, parsed =>
            new Job(File.ReadAllText(parsed.GetValue(s_script)!.FullName), parsed.GetValue(s_root)));
        script.Add(s_script);
        root.Add(script);
        root.Add(PowerCut());
        root.Add(RunTests());
        return root;
    }

    /// <summary>A command that boots one guest, which does one job.</summary>
    private static Command Guest(
        string name, string about, Option[] own, string? programs, Func<ParseResult, Job> job)
    {
        Command command = new(name, about);
        foreach (Option option in (Option[])[.. own, s_user, s_root, s_kernel, s_cache, s_silence])
            command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_user) && result.GetValue(s_root))
                result.AddError("Either --user or --root.");
        });
        command.SetAction((parsed, _) => RunJobAsync(parsed, programs ?? ProgramFolder.Tests(), job(parsed)));
        return command;
    }

    private static Command PowerCut()
    {
        Command command = new(
            "powercut",
            "Records the disk of a guest that commits generations, cuts its power at random moments, and " +
            "looks for each acknowledged generation on what is left.");
        foreach (Option option in (Option[])[s_fileSystem, s_cuts, s_seed, s_withoutSync, s_kernel, s_cache,
            s_silence])
            command.Add(option);
        command.SetAction((parsed, _) => CutPowerAsync(parsed));
        return command;
    }

    private static async Task<int> CutPowerAsync(ParseResult parsed)
    {
        using Machine machine = MachineOf(parsed, ProgramFolder.Samples);
        IFileSystem fileSystem = parsed.GetValue(s_fileSystem) == "xfs" ? new Xfs(machine) : new Ext4();
        PowerCuts cuts = new(machine, fileSystem) { Say = Console.WriteLine };
        PowerCutReport report = await cuts.RunAsync(
            parsed.GetValue(s_cuts), parsed.GetValue(s_seed), parsed.GetValue(s_withoutSync)).ConfigureAwait(
                false);
        Console.WriteLine(report);
        return report.Findings.Count == 0 ? 0 : 1;
    }

    private static Command RunTests()
    {
        Command command = new(RunTestsName, "What `tests` runs in the guest.") { Hidden = true };
        command.Add(s_assembly);
        command.Add(s_filter);
        command.SetAction(parsed => TestRunner.Run(parsed.GetValue(s_assembly)!, parsed.GetValue(s_filter)!));
        return command;
    }

    private static async Task<int> RunJobAsync(ParseResult parsed, string programs, Job job)
    {
        using Machine machine = MachineOf(parsed, programs);
        GuestResult result = await machine.RunAsync(job).ConfigureAwait(false);
        Console.WriteLine(result.Failure is { } failure
            ? $"Failed after {result.Time.TotalSeconds:F0} s: {failure}."
            : $"All right, after {result.Time.TotalSeconds:F0} s.");
        return result.Failure is null ? 0 : 1;
    }

    private static Machine MachineOf(ParseResult parsed, string programs) =>
        new(new PackageCache(
            Path.GetFullPath(parsed.GetValue(s_cache)!)), parsed.GetValue(s_kernel)!, programs)
        {
            Silence = TimeSpan.FromSeconds(parsed.GetValue(s_silence)),
            Observe = Console.WriteLine,
        };

    private static Option<int> Number(string name, int byDefault, string description)
    {
        Option<int> option = new(name)
        {
            Description = description,
            HelpName = "number",
            DefaultValueFactory = _ => byDefault,
        };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any()) return;
            if (result.GetValueOrDefault<int>() < 0) result.AddError($"Option '{name}': less than 0.");
        });
        return option;
    }
}
