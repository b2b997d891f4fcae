using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>
/// A folder with the library for C programs, as a package installs it, and programs that are built against
/// it. They find it in another folder than their own.
/// </summary>
internal sealed class LibraryWorkshop : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-library-");

    internal LibraryWorkshop()
    {
        Directory.CreateDirectory(Libraries);
        File.Copy(Built, Path.Combine(Libraries, "libsnapshot.so.0"));
        File.CreateSymbolicLink(Path.Combine(Libraries, "libsnapshot.so"), "libsnapshot.so.0");
    }

    /// <summary>What the build of src/Snapshot.C makes.</summary>
    internal static string Built => Path.Combine(
        Repository.Root, "src/Snapshot.C/bin/Release/net10.0/linux-x64/publish/libsnapshot.so");

    internal static string Headers => Path.Combine(Repository.Root, "src/Snapshot.C/include");

    private static string Calls => Path.Combine(Repository.Root, "src/Snapshot.Mpi/native");

    /// <summary>Where the library is, under the names for programs and for the linker.</summary>
    internal string Libraries => Path.Combine(_folder.FullName, "lib");

    /// <summary>Programs of the tests, in C.</summary>
    internal static string Sources => Path.Combine(Repository.Root, "tests/Snapshot.LibraryPrograms");

    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Builds a program of a source text; it is in a folder of its own.</summary>
    /// <param name="name">
    /// Of the source file, such as heat.c, which says the language to the compiler.
    /// </param>
    /// <param name="source">The text.</param>
    /// <param name="compiler">cc, g++ or gfortran, and flags.</param>
    /// <returns>The path of the program.</returns>
    internal string Build(string name, string source, params string[] compiler)
    {
        string file = PathOf(name);
        File.WriteAllText(file, source);
        return Build([file], compiler);
    }

    /// <inheritdoc cref="Build(string, string, string[])"/>
    internal string Build(string[] files, params string[] compiler) => Build(files, [], compiler);

    /// <summary>
    /// Compiles what calls MPI, as a package has it, into the folder of the library: -lsnapshot_mpi.
    /// </summary>
    internal void MakeMpiLibrary(string compiler)
    {
        foreach (string name in (string[])["calls.c", "calls.h"])
            File.Copy(Path.Combine(Calls, name), PathOf(name), overwrite: true);
        File.Copy(
            Path.Combine(Repository.Root, "src/Snapshot.C/mpi/snapshot_mpi.c"), PathOf("snapshot_mpi.c"),
            overwrite: true);
        Repository.Run(
            _folder.FullName, compiler, "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O2",
            "-shared", "-fPIC", $"-I{Headers}", "-o", Path.Combine(Libraries, "libsnapshot_mpi.so"),
            "snapshot_mpi.c", "calls.c", $"-L{Libraries}", "-lsnapshot").Good();
    }

    /// <summary>Builds a program of ranks, after <see cref="MakeMpiLibrary"/>.</summary>
    internal string BuildRanks(string[] files, params string[] compiler) =>
        Build(files, ["-lsnapshot_mpi"], compiler);

    public void Dispose() => _folder.Delete(recursive: true);

    private string Build(string[] files, string[] libraries, string[] compiler)
    {
        string program = Path.Combine(
            Directory.CreateDirectory(PathOf("bin")).FullName, Path.GetFileNameWithoutExtension(files[^1]));
        ProgramResult result = Repository.Run(
            _folder.FullName, compiler[0],
            [
                .. compiler[1..], "-O2", "-g", $"-I{Headers}", "-o", program, .. files, $"-L{Libraries}",
                $"-Wl,-rpath,{Libraries}", .. libraries, "-lsnapshot", "-lm", "-pthread",
            ]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return program;
    }
}
