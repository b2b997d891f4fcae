using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.Machines;

/// <summary>
/// The root file system of a guest: busybox, libraries of this machine, the .NET runtime, and the programs in
/// /app.
/// </summary>
internal static class RootImage
{
    /// <summary>What a job finds free on it, MiB.</summary>
    private const long FreeMegabytes = 700;

    /// <summary>Whom a job runs as, when it is not root's.</summary>
    internal const string User = "user";

    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;
    private const UnixFileMode OpenToAll = (UnixFileMode)0b1_111_111_111;

    /// <summary>Makes it.</summary>
    /// <param name="busybox">The static program.</param>
    /// <param name="programs">The folder of the programs.</param>
    /// <param name="folder">Where to put it; returns its path there.</param>
    internal static string Make(string busybox, string programs, string folder)
    {
        string tree = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
        PlaceBusybox(busybox, tree);
        PlaceRuntime(Path.Combine(tree, "dotnet"));
        CopyFolder(programs, Path.Combine(tree, "app"));
        // There for the tests, which look for the folder of the sources.
        File.WriteAllText(Path.Combine(tree, "app/Snapshot.sln"), "");
        PlaceLibraries(tree);
        PlaceSettings(tree);

        long megabytes = FolderBytes(tree) / (1 << 20) * 11 / 10 + FreeMegabytes;
        string image = Path.Combine(folder, "root.img");
        HostProgram.Require(
            "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, image,
            string.Create(CultureInfo.InvariantCulture, $"{megabytes}M"));
        Directory.Delete(tree, recursive: true);
        return image;
    }

    private static void PlaceBusybox(string busybox, string tree)
    {
        string bin = Directory.CreateDirectory(Path.Combine(tree, "bin")).FullName;
        File.Copy(busybox, Path.Combine(bin, "busybox"));
        string[] names =
            HostProgram.Require(busybox, "--list").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (string name in names)
        {
            if (name != "busybox") File.CreateSymbolicLink(Path.Combine(bin, name), "busybox");
        }
    }

    /// <summary>The runtime that runs this program, without the SDK and the frameworks beside it.</summary>
    private static void PlaceRuntime(string target)
    {
        string framework = RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/');
        string version = Path.GetFileName(framework);
        string dotnet = Path.GetFullPath(Path.Combine(framework, "../../.."));
        Directory.CreateDirectory(target);
        File.Copy(Path.Combine(dotnet, "dotnet"), Path.Combine(target, "dotnet"));
        foreach (string folder in (string[])[$"shared/Microsoft.NETCore.App/{version}",
            $"host/fxr/{version}"])
            CopyFolder(Path.Combine(dotnet, folder), Path.Combine(target, folder));
    }

    private static void PlaceLibraries(string tree)
    {
        IEnumerable<string> binaries = Directory.EnumerateFiles(tree, "*.so", SearchOption.AllDirectories)
            .Append(Path.Combine(tree, "dotnet/dotnet"));
        foreach (string library in SharedLibraries.NeededBy(binaries))
        {
            string target = Path.Combine(tree, library.TrimStart('/'));
            if (File.Exists(target) || library.StartsWith(tree, StringComparison.Ordinal)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(library, target);
        }
    }

    private static void PlaceSettings(string tree)
    {
        foreach (string name in (string[])["proc", "sys", "dev", "tmp", "etc", "job", "disk"])
            Directory.CreateDirectory(Path.Combine(tree, name));
        File.SetUnixFileMode(Path.Combine(tree, "tmp"), OpenToAll);
        File.WriteAllText(
            Path.Combine(tree, "etc/passwd"),
            $"root:x:0:0::/tmp:/bin/sh\n{User}:x:1000:1000::/tmp:/bin/sh\n");
        File.WriteAllText(Path.Combine(tree, "etc/group"), $"root:x:0:\n{User}:x:1000:\n");
        string init = Path.Combine(tree, "init");
        File.WriteAllText(init, Job.Init);
        File.SetUnixFileMode(init, Executable);
    }

    private static void CopyFolder(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (string file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        foreach (string folder in Directory.EnumerateDirectories(source))
            CopyFolder(folder, Path.Combine(target, Path.GetFileName(folder)));
    }

    private static long FolderBytes(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
