using System.Diagnostics;
using System.Text.RegularExpressions;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>
/// The programs of docs/LIBRARY.md are built as they stand there, and go on when they run again.
/// </summary>
[Needs(Toolchain = true)]
public sealed partial class LibraryDocumentTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    [MachineFact]
    [Needs(Programs = ["cc"])]
    public void In_C() =>
        RunTwice(_workshop.Build("sum.c", Block("c"), "cc", "-Wall", "-Wextra", "-Wconversion", "-Werror"));

    [MachineFact]
    [Needs(Programs = ["g++"])]
    public void In_Cpp() => RunTwice(
        _workshop.Build(
            "sum.cpp", Block("cpp"), "g++", "-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Werror"));

    [MachineFact]
    [Needs(Programs = ["gfortran"])]
    public void In_Fortran()
    {
        string file = _workshop.PathOf("sum.f90");
        File.WriteAllText(file, Block("fortran"));
        RunTwice(_workshop.Build([FortranTests.Module, file], "gfortran", "-Wall", "-Werror"));
    }

    [MachineFact]
    [Needs(Numpy = true)]
    public void In_Python() => RunTwice(PythonProgram.Path, "-c", Block("python"));

    public void Dispose() => _workshop.Dispose();

    private static string Block(string language) => Assert.Single(
        Blocks().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/LIBRARY.md"))),
        match => match.Groups[1].Value == language).Groups[2].Value;

    private void RunTwice(string program, params string[] arguments)
    {
        string first = Run(program, arguments);
        Assert.Matches(@"^ ?\d+\.\d+", first);
        Assert.NotEmpty(Directory.GetFiles(_workshop.PathOf("sum.store"), "*.snapshot"));
        Assert.Equal(first, Run(program, arguments));
    }

    private string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = _workshop.PathOf("") };
        start.Environment["PYTHONPATH"] = PythonProgram.Packages;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["SNAPSHOT_LIBRARY"] = Path.Combine(_workshop.Libraries, "libsnapshot.so.0");
        return Repository.Run(start).Good();
    }

    [GeneratedRegex("^```(\\w+)\\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
