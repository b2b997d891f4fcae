using System.Text;

namespace Snapshot.Packaging;

/// <summary>The packages of a version, made of the library, the command and the sources.</summary>
/// <param name="version">Such as 0.1.0.</param>
/// <param name="library">The file of libsnapshot.</param>
/// <param name="command">The file of the command, compiled ahead of time.</param>
/// <param name="root">The root of the sources.</param>
internal sealed class PackageSet(string version, string library, string command, string root)
{
    private const string LibC = "libc6 (>= 2.34)";

    private string Sources => Path.Combine(root, "src/Snapshot.C");

    /// <summary>Writes all of them; returns their paths.</summary>
    internal IEnumerable<string> Write(string folder)
    {
        foreach (DebianPackage package in Debian())
            yield return Write(folder, $"{package.Name}_{version}_amd64.deb", package.ToBytes(version));
        string name = $"snapshot-{version}-linux-x64";
        yield return Write(folder, $"{name}.tar.gz", Archive.TarGz(Tarball(), $"{name}/"));
        yield return Write(
            folder, $"snapshot-{version}-{Wheel.Tag}.whl",
            Wheel.ToBytes(
                version, File.ReadAllText(Path.Combine(root, "docs/LIBRARY.md")), Python("snapshot", true)));
    }

    private IEnumerable<DebianPackage> Debian()
    {
        yield return new DebianPackage(
            "libsnapshot0", "libs", LibC,
            "checkpoint and restart of HPC codes by memory image: library",
            "Programs in C, C++ and Fortran keep their state in memory that survives a crash.",
            Libraries("usr/lib/x86_64-linux-gnu"))
        { Trigger = "activate-noawait ldconfig\n" };
        yield return new DebianPackage(
            "libsnapshot-dev", "libdevel", $"libsnapshot0 (= {version})",
            "checkpoint and restart of HPC codes by memory image: headers",
            "The headers, the Fortran module's source, and what CMake and pkg-config ask for.",
            Development("usr", "usr/lib/x86_64-linux-gnu"));
        yield return new DebianPackage(
            "python3-snapshot", "python", $"libsnapshot0 (= {version}), python3, python3-numpy",
            "checkpoint and restart of HPC codes by memory image: Python",
            "Arrays of numpy that survive a crash.",
            Python("usr/lib/python3/dist-packages/snapshot", false));
        yield return new DebianPackage(
            "snapshot-tools", "utils", LibC,
            "checkpoint and restart of HPC codes by memory image: command",
            "Lists, checks, prunes and repairs stores of images, and runs a program again when it died.",
            new FileTree().Add("usr/bin/snapshot", File.ReadAllBytes(command), isExecutable: true));
    }

    private FileTree Tarball()
    {
        FileTree tree = Development("", "lib")
            .Add("bin/snapshot", File.ReadAllBytes(command), isExecutable: true)
            .Add("share/snapshot/modulefiles/snapshot.lua", Template("modulefile.lua"))
            .Add("share/doc/snapshot/CHANGELOG.md", File.ReadAllBytes(Path.Combine(root, "CHANGELOG.md")))
            .AddFolder("share/doc/snapshot", Path.Combine(root, "docs"), ".md");
        foreach ((string path, TreeEntry file) in Libraries("lib").Entries) tree.Add(path, file.Content!);
        foreach ((string path, TreeEntry file) in Python("lib/python3/snapshot", false).Entries)
            tree.Add(path, file.Content!);
        return tree;
    }

    private FileTree Libraries(string folder) =>
        new FileTree().Add($"{folder}/libsnapshot.so.0", File.ReadAllBytes(library));

    /// <param name="prefix">Where include and share are, or empty.</param>
    /// <param name="libraries">Where the library is, below the root.</param>
    private FileTree Development(string prefix, string libraries)
    {
        string top = prefix.Length == 0 ? "" : prefix + "/";
        return new FileTree()
            .Link($"{libraries}/libsnapshot.so", "libsnapshot.so.0")
            .Add($"{libraries}/pkgconfig/snapshot.pc", Template("snapshot.pc", libraries, top))
            .Add($"{libraries}/cmake/Snapshot/SnapshotConfig.cmake", Template(
                "SnapshotConfig.cmake", libraries, top))
            .Add($"{libraries}/cmake/Snapshot/SnapshotConfigVersion.cmake", Template(
                "SnapshotConfigVersion.cmake"))
            .AddFolder($"{top}include", Path.Combine(Sources, "include"), ".h", ".hpp")
            .AddFolder($"{top}share/snapshot/fortran", Path.Combine(Sources, "fortran"), ".F90", ".inc")
            .AddFolder($"{top}share/snapshot/veloc", Path.Combine(Sources, "veloc"), ".c", ".h")
            .AddFolder($"{top}share/snapshot/mpi", Path.Combine(Sources, "mpi"), ".c")
            .AddFolder($"{top}share/snapshot/mpi", Path.Combine(root, "src/Snapshot.Mpi/native"), ".c", ".h")
            .AddFolder(
                $"{top}share/snapshot/samples", Path.Combine(root, "samples/Library"), ".c", ".cpp", ".f90",
                ".py",
                ".txt")
            .AddFolder($"{top}share/snapshot/samples", Path.Combine(root, "samples/HeatRanks"), ".c");
    }

    private FileTree Python(string folder, bool hasLibrary)
    {
        FileTree tree = new FileTree().AddFolder(
            folder, Path.Combine(Sources, "python/snapshot"), ".py", ".typed");
        if (hasLibrary) tree.Add($"{folder}/libsnapshot.so.0", File.ReadAllBytes(library));
        return tree;
    }

    /// <summary>
    /// A template for the place where the package has its libraries: the way from there to the prefix.
    /// </summary>
    private byte[] Template(string name, string libraries = "", string top = "")
    {
        using Stream stream = typeof(PackageSet).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        string below = libraries.Length == 0 ? "" : libraries[top.Length..];
        string up = string.Concat(Enumerable.Repeat("../", below.Count(letter => letter == '/')));
        return Encoding.UTF8.GetBytes(reader.ReadToEnd()
            .Replace("@VERSION@", version, StringComparison.Ordinal)
            .Replace("@LIBRARIES@", below, StringComparison.Ordinal)
            .Replace("@UP@", up, StringComparison.Ordinal));
    }

    private static string Write(string folder, string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
