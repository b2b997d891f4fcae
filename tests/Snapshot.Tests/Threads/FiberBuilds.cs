using Snapshot.Tests.FrontDoor;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Threads;

/// <summary>
/// Snapshot.FiberProgram as these tests run it, each built once a process, when first asked for.
/// </summary>
internal static class FiberBuilds
{
    private static readonly Lazy<string> s_debug = new(BuildDebug);
    private static readonly Lazy<(string Ahead, string JustInTime)> s_published = new(Publish);
    private static readonly Lazy<string?> s_obstacle = new(FindObstacle);

    /// <summary>As the tests were built.</summary>
    internal static string[] OfTests { get; } =
        ["dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "Snapshot.FiberProgram.dll")];

    internal static string[] Debug => [s_debug.Value];

    /// <summary>Compiled ahead of time.</summary>
    internal static string[] AheadOfTime => [s_published.Value.Ahead];

    /// <summary>
    /// The same assembly as <see cref="AheadOfTime"/>, run just in time: each resumes the other's images.
    /// </summary>
    internal static string[] JustInTime => [s_published.Value.JustInTime];

    /// <summary>Why nothing can be compiled ahead of time here; null when it can.</summary>
    internal static string? Obstacle => Profile.ToolchainObstacle ?? s_obstacle.Value;

    /// <summary>Where builds go, apart from those of the source tree; deleted with the process.</summary>
    private static string Artifacts { get; } = MakeDirectory();

    private static string Project => Path.Combine(Repository.Root, "tests", "Snapshot.FiberProgram");

    private static string BuildDebug()
    {
        Build("build", "-c", "Debug");
        return Output("debug");
    }

    private static (string Ahead, string JustInTime) Publish()
    {
        string[] runtime = ["-c", "Release", "-r", "linux-x64"];
        Build("publish", [.. runtime, "-p:PublishAot=true", "-p:TreatWarningsAsErrors=true"]);
        Build("build", [.. runtime, "--self-contained", "false"]);
        return (
            Path.Combine(
                Artifacts, "publish", "Snapshot.FiberProgram", "release_linux-x64", "Snapshot.FiberProgram"),
            Output("release_linux-x64"));
    }

    private static string Output(string pivot) =>
        Path.Combine(Artifacts, "bin", "Snapshot.FiberProgram", pivot, "Snapshot.FiberProgram");

    private static void Build(string verb, params string[] arguments)
    {
        ProgramResult result = Run(verb, arguments);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"dotnet {verb} {string.Join(' ', arguments)}: {result}");
    }

    private static ProgramResult Run(string verb, params string[] arguments) => Repository.Run(
        Repository.Root, "dotnet",
        [verb, Project, .. arguments, "--artifacts-path", Artifacts, "-nologo", "-m:1", "-nodeReuse:false"]);

    /// <summary>It takes a linker, which is asked for here, and a compiler that comes as a package.</summary>
    private static string? FindObstacle()
    {
        if (BareMachine.FindOnPath("clang") is null && BareMachine.FindOnPath("gcc") is null)
            return "compiling ahead of time needs clang or gcc as the linker, and neither is on the PATH";
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } path
            ? path
            : Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        if (Directory.Exists(Path.Combine(packages, "runtime.linux-x64.microsoft.dotnet.ilcompiler")))
            return null;
        ProgramResult restored = Run("restore", "-r", "linux-x64", "-p:PublishAot=true");
        if (restored.ExitCode == 0) return null;
        return "compiling ahead of time needs the package Microsoft.DotNet.ILCompiler, which cannot be " +
            "restored: " +
            restored.Output.Split('\n').FirstOrDefault(
                line => line.Contains("error", StringComparison.Ordinal));
    }

    private static string MakeDirectory()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-fibers-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Delete(recursive: true);
        return directory.FullName;
    }
}
