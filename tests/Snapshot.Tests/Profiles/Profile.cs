using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Snapshot.Interop;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// A machine that this one can imitate, at full speed: what a filter of system calls, a user or a pretence
/// takes away.
/// </summary>
/// <param name="Name">For people.</param>
/// <param name="Missing">
/// What is not there, beside what this machine lacks; what needs it is not there either.
/// </param>
internal sealed record Profile(string Name, params Capability[] Missing)
{
    private const string NotPermitted = "1"; // EPERM
    private const string NoSuchCall = "38"; // ENOSYS
    private const string Nobody = "65534";

    // Numbers of x86-64.
    private const string Ioctl = "16";
    private const string Madvise = "28";
    private const string Prctl = "157";
    private const string Userfaultfd = "323";
    private const string FutexWaitv = "449";

    private const string PagemapScan = Ioctl + ":0xc0606610@1=25"; // ENOTTY
    private const string UserfaultDevice = Ioctl + ":0xaa00@1=25"; // ENOTTY, of /dev/userfaultfd
    private const string MappingNames = Prctl + ":0x53564d41@0=22"; // EINVAL
    private const string Populate = Madvise + ":23=22"; // EINVAL
    private const string Collapse = Madvise + ":25=22"; // EINVAL

    // openat2, pidfd_getfd, faccessat2, process_madvise, close_range, epoll_pwait2, mount_setattr, landlock,
    // cachestat.
    private static readonly string[] s_young = ["437", "438", "439", "440", "436", "441", "442", "444",
        "451"];

    // ptrace, perf_event_open, bpf, mount, umount2, setns, keyctl, add_key, kexec_load, io_uring_setup to
    // _register.
    private static readonly string[] s_neverInContainers =
        ["101", "298", "321", "165", "166", "308", "250", "248", "246", "425", "426", "427"];

    private static readonly Capability[] s_ofUserfault = [Capability.Userfault];

    private const string NameVariable = "TESTED_PROFILE";

    // <dotnet root>/shared/Microsoft.NETCore.App/<version>/ is where the runtime lives.
    private static readonly string s_dotnet =
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    private static readonly string[] s_testRunner =
    [
        "--depsfile", InOutput("Snapshot.Tests.deps.json"),
        "--runtimeconfig", InOutput("Snapshot.Tests.runtimeconfig.json"), InOutput("Snapshot.Machines.dll"),
        "run-tests",
    ];

    /// <summary>Calls that are denied, as deny_calls takes them.</summary>
    internal IReadOnlyList<string> Denied { get; init; } = [];

    /// <summary>What they answer when they say nothing of their own.</summary>
    internal string Answer { get; init; } = NotPermitted;

    /// <summary>What <c>SNAPSHOT_PRETEND</c> says.</summary>
    internal string Pretence { get; init; } = "";

    /// <summary>Whether it runs without privilege.</summary>
    internal bool IsOrdinaryUser { get; init; }

    /// <summary>Nothing is taken away.</summary>
    internal static Profile ThisMachine { get; } = new("this machine");

    /// <summary>Nothing is taken away but privilege.</summary>
    internal static Profile OrdinaryUser { get; } =
        new("ordinary user", Capability.CopyOnWriteInSystemCalls, Capability.PagesOnDemandInSystemCalls)
        {
            IsOrdinaryUser = true,
        };

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<Profile> All { get; } =
    [
        ThisMachine,
        OrdinaryUser,
        new("container", s_ofUserfault)
        {
            Denied = [.. s_neverInContainers, Userfaultfd, UserfaultDevice],
            IsOrdinaryUser = true,
        },
        new("container with an old profile", Capability.Userfault, Capability.FutexWaitv)
        {
            Denied = [.. s_neverInContainers, Userfaultfd, UserfaultDevice, .. s_young, FutexWaitv],
        },
        new(
            "like Linux 4.18", Capability.Userfault, Capability.PagemapScan, Capability.Populate,
            Capability.Collapse,
            Capability.FutexWaitv, Capability.MappingNames)
        {
            Denied =
            [
                Userfaultfd, UserfaultDevice, PagemapScan, Populate, Collapse, MappingNames, FutexWaitv,
                .. s_young,
            ],
            Answer = NoSuchCall,
            IsOrdinaryUser = true,
        },
        new("like Linux 5.14, root", Capability.PagemapScan, Capability.Collapse, Capability.FutexWaitv,
            Capability.MappingNames)
        {
            Denied = [UserfaultDevice, PagemapScan, Collapse, MappingNames, FutexWaitv],
            Answer = NoSuchCall,
        },
        new("like Linux 6.1", Capability.PagemapScan, Capability.MappingNames,
            Capability.CopyOnWriteInSystemCalls)
        {
            Denied = [PagemapScan, MappingNames],
            IsOrdinaryUser = true,
        },
        new("nothing at all", [.. Enum.GetValues<Capability>().Where(one => one != Capability.SmallPages)])
        {
            Pretence = string.Join(
                ',',
                CapabilityText.All.Select(text => text.Pretence).Where(word => word != "no-small-pages")),
        },
    ];

    /// <summary>
    /// Runs a program of the build output in it, copied: it may lie where only its owner reads.
    /// </summary>
    [SupportedOSPlatform("linux")]
    internal ProgramResult Run(string assembly, params IEnumerable<string> arguments) =>
        In(folder => Launch(folder, Copied(folder, assembly), arguments));

    /// <summary>What keeps compilers from running, or null: this process is in a profile.</summary>
    internal static string? ToolchainObstacle => Environment.GetEnvironmentVariable(NameVariable) is { } name
        ? $"compilers and sanitizers do not run in a profile ({name})"
        : null;

    /// <summary>
    /// Runs tests of this assembly in it, where they lie: they look for the sources beside them.
    /// </summary>
    /// <param name="parts">Of a test's full name; one of them is enough.</param>
    [SupportedOSPlatform("linux")]
    internal ProgramResult RunTests(params IEnumerable<string> parts) =>
        In(folder => Launch(folder, s_testRunner, [InOutput("Snapshot.Tests.dll"), .. parts]));

    [SupportedOSPlatform("linux")]
    private static ProgramResult In(Func<string, ProgramResult> run)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-profile-");
        try
        {
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0x1ff);
            return run(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private ProgramResult Launch(string folder, IEnumerable<string> program, IEnumerable<string> arguments)
    {
        string launcher = Path.Combine(folder, "deny_calls");
        ProgramResult built = Repository.Run(
            folder, "cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
            Path.Combine(Repository.Root, "tests/Snapshot.FaultRig/deny_calls.c"), "-o", launcher);
        if (built.ExitCode != 0) return built;
        IEnumerable<string> command = [.. Unprivileged(), launcher, Answer, .. Denied, "--", s_dotnet, "exec",
            .. program];
        ProcessStartInfo start =
            new(command.First(), [.. command.Skip(1), .. arguments]) { WorkingDirectory = folder };
        if (Pretence.Length > 0) start.Environment["SNAPSHOT_PRETEND"] = Pretence;
        if (IsOrdinaryUser) start.Environment["HOME"] = folder;
        start.Environment[NameVariable] = Name;
        return Repository.Run(start);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private IEnumerable<string> Unprivileged() => IsOrdinaryUser && Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs"]
        : [];

    private static IEnumerable<string> Copied(string folder, string assembly)
    {
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            string copy = Path.Combine(folder, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, (UnixFileMode)0x1ed);
        }

        return [Path.Combine(folder, $"{assembly}.dll")];
    }

    private static string InOutput(string file) => Path.Combine(AppContext.BaseDirectory, file);
}
