using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Snapshot.Tests.FrontDoor;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Arm64;

/// <summary>
/// Programs of the source tree, published for linux-arm64, and the emulator that runs them here.
/// </summary>
public sealed class Arm64Programs : IDisposable
{
    private const string Emulator = "qemu-aarch64-static";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    /// <summary>Where Debian's packages for cross compilers have the libraries of arm64.</summary>
    private const string Libraries = "/usr/aarch64-linux-gnu";

    private static readonly Lazy<string?> s_obstacle = new(FindObstacle);

    private readonly DirectoryInfo _artifacts = Directory.CreateTempSubdirectory("snapshot-arm64-");
    private readonly ConcurrentDictionary<string, Lazy<string>> _published = [];

    /// <summary>Why none can be built or run here; null when they can.</summary>
    internal static string? Obstacle => s_obstacle.Value;

    /// <summary>The folder of a program, published when it is first asked for.</summary>
    internal string FolderOf(string project) =>
        _published.GetOrAdd(project, _ => new Lazy<string>(() => Publish(project))).Value;

    /// <summary>How a program is started.</summary>
    internal ProcessStartInfo Start(string project, params IEnumerable<string> arguments) => new(
        Emulator,
        ["-L", Libraries, Path.Combine(FolderOf(project), Path.GetFileName(project)), .. arguments]);

    internal ProgramResult Run(string project, params IEnumerable<string> arguments) =>
        Repository.Run(Start(project, arguments));

    /// <inheritdoc/>
    public void Dispose() => _artifacts.Delete(recursive: true);

    private string Publish(string project)
    {
        ProgramResult result = Dotnet(_artifacts, "publish", project, "-c", "Release", "--self-contained");
        if (result.ExitCode != 0) throw new InvalidOperationException($"dotnet publish {project}: {result}");
        return Path.Combine(_artifacts.FullName, "publish", Path.GetFileName(project), "release_linux-arm64");
    }

    private static ProgramResult Dotnet(
        DirectoryInfo artifacts, string verb, string project,
        params IEnumerable<string> arguments) => Repository.Run(
        Repository.Root, "dotnet",
        [
            verb, Path.Combine(Repository.Root, project), "-r", "linux-arm64", .. arguments,
            "--artifacts-path", artifacts.FullName, "-nologo", "-m:1", "-nodeReuse:false",
            "-p:RunAnalyzers=false",
        ]);

    private static string? FindObstacle()
    {
        if (RuntimeInformation.OSArchitecture != Architecture.X64)
            return "this machine is no x86-64 to begin with";
        if (BareMachine.FindOnPath(Compiler) is null) return Missing(Compiler, "gcc-aarch64-linux-gnu");
        if (BareMachine.FindOnPath(Emulator) is null) return Missing(Emulator, "qemu-user-static");
        foreach ((string library, string package) in (ReadOnlySpan<(string, string)>)
            [("ld-linux-aarch64.so.1", "libc6-arm64-cross"), ("libstdc++.so.6", "libstdc++6-arm64-cross")])
        {
            string path = Path.Combine(Libraries, "lib", library);
            if (!File.Exists(path)) return $"{path} does not exist (Debian: apt-get install {package})";
        }

        return FindObstacleOfRestore();
    }

    /// <summary>The runtime for arm64 is a package.</summary>
    private static string? FindObstacleOfRestore()
    {
        DirectoryInfo artifacts = Directory.CreateTempSubdirectory("snapshot-arm64-restore-");
        try
        {
            ProgramResult restored =
                Dotnet(artifacts, "restore", "samples/HeatDiffusion", "-p:SelfContained=true");
            if (restored.ExitCode == 0) return null;
            return "the runtime of .NET for linux-arm64 cannot be restored: " + restored.Output.Split('\n')
                .FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal));
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }

    private static string Missing(string program, string package) =>
        $"{program} is not on the PATH (Debian: apt-get install {package})";
}
