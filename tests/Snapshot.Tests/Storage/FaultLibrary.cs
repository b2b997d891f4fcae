using System.Globalization;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>A library of tests/Snapshot.FaultRig, compiled, and the variables that preload it into a program.</summary>
internal sealed class FaultLibrary(string source) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-faults-");

    /// <summary>Lets the nth fsync of files whose path has this part fail with an errno.</summary>
    internal (string Name, string Value)[] FailSync(string path, int nth, int errno) =>
    [
        ("LD_PRELOAD", Built()),
        ("FAULT_PATH", path),
        ("FAULT_NTH", nth.ToString(CultureInfo.InvariantCulture)),
        ("FAULT_ERRNO", errno.ToString(CultureInfo.InvariantCulture)),
    ];

    public void Dispose() => _folder.Delete(recursive: true);

    private string Built()
    {
        string library = Path.Combine(_folder.FullName, Path.ChangeExtension(source, ".so"));
        if (File.Exists(library)) return library;
        ProgramResult built = Repository.Run(
            _folder.FullName, "cc",
            ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                Path.Combine(Repository.Root, "tests/Snapshot.FaultRig", source), "-o", library, "-ldl"]);
        Assert.True(built.ExitCode == 0, built.ToString());
        return library;
    }
}
