using System.Diagnostics;
using System.Text.RegularExpressions;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>The Python package: tests of python_tests.py, each in a process of its own.</summary>
[Needs(Toolchain = true, Numpy = true)]
public sealed partial class PythonTests : IDisposable
{
    private static readonly string s_file = Path.Combine(LibraryWorkshop.Sources, "python_tests.py");

    private readonly LibraryWorkshop _workshop = new();

    public static TheoryData<string> Names =>
        [.. Test().Matches(File.ReadAllText(s_file)).Select(match => match.Groups[1].Value)];

    [MachineTheory]
    [MemberData(nameof(Names))]
    public void It_is_as_its_tests_say(string name)
    {
        ProgramResult result = Run(s_file, $"Tests.{name}");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("Ran 1 test", result.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    public void Codes_are_those_of_C()
    {
        string header = File.ReadAllText(Path.Combine(LibraryWorkshop.Headers, "snapshot.h"));
        header = header[header.IndexOf("enum snapshot_code", StringComparison.Ordinal)..];
        header = header[..header.IndexOf("};", StringComparison.Ordinal)];
        Assert.Equal(
            string.Concat(Code().Matches(header).Select(match => $"{match.Groups[1]} {match.Groups[2]}\n")),
            Run("-c", "import snapshot\nfor code in snapshot.Code: print(code.name, int(code))").Good());
    }

    /// <summary>A wheel has the library inside.</summary>
    [MachineFact]
    public void The_library_beside_the_package_is_found_without_being_told()
    {
        string package = Directory.CreateDirectory(_workshop.PathOf("packages/snapshot")).FullName;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(PythonProgram.Packages, "snapshot")))
            File.Copy(file, Path.Combine(package, Path.GetFileName(file)));
        File.Copy(LibraryWorkshop.Built, Path.Combine(package, "libsnapshot.so.0"));
        ProcessStartInfo start = new(PythonProgram.Path, ["-c", "import snapshot; print(snapshot.__file__)"]);
        start.Environment["PYTHONPATH"] = _workshop.PathOf("packages");
        start.Environment.Remove("SNAPSHOT_LIBRARY");
        Assert.StartsWith(package, Repository.Run(start).Good(), StringComparison.Ordinal);
    }

    public void Dispose() => _workshop.Dispose();

    private ProgramResult Run(params string[] arguments)
    {
        ProcessStartInfo start =
            new(PythonProgram.Path, arguments) { WorkingDirectory = _workshop.PathOf("") };
        start.Environment["PYTHONPATH"] = PythonProgram.Packages;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["SNAPSHOT_LIBRARY"] = Path.Combine(_workshop.Libraries, "libsnapshot.so.0");
        return Repository.Run(start);
    }

    [GeneratedRegex(@"^    def (test_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Test();

    [GeneratedRegex(@"^    SNAPSHOT_([A-Z_]+) = (\d+)", RegexOptions.Multiline)]
    private static partial Regex Code();
}
