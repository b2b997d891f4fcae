using System.Text.RegularExpressions;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>
/// The Fortran module: scenes of fortran_tests.f90, which find by themselves what is wrong.
/// </summary>
[Needs(Programs = ["gfortran"], Toolchain = true)]
public sealed partial class FortranTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();
    private string? _program;

    internal static string Module => Path.Combine(Repository.Root, "src/Snapshot.C/fortran/snapshot.F90");

    /// <summary>The one for ranks, which uses the other.</summary>
    internal static string RanksModule =>
        Path.Combine(Repository.Root, "src/Snapshot.C/fortran/snapshot_mpi.F90");

    // Values are compared that were stored, and calls need not be made whose result does not matter.
    private string Program => _program ??= _workshop.Build(
        [Module, Path.Combine(LibraryWorkshop.Sources, "fortran_tests.f90")], "gfortran", "-std=f2018",
        "-Wall",
        "-Wextra", "-Wno-compare-reals", "-Wno-function-elimination", "-Werror");

    [MachineTheory]
    [InlineData("f2018")]
    [InlineData("gnu")]
    public void The_modules_compile_without_a_warning(string standard) => Repository.Run(
        _workshop.PathOf(""), "gfortran", $"-std={standard}", "-Wall", "-Wextra", "-Werror", "-O2", "-c",
        Module, RanksModule)
        .Good();

    /// <summary>CMake finds the order of modules by itself, and expands no macros for it.</summary>
    [MachineFact]
    [Needs(Programs = ["cmake"])]
    public void CMake_builds_the_module_with_the_program()
    {
        File.WriteAllText(
            _workshop.PathOf("CMakeLists.txt"),
            $"""
            cmake_minimum_required(VERSION 3.20)
            project(Heat LANGUAGES Fortran)
            add_executable(heat "{Module}" "{HeatSample.Folder}/heat.f90")
            target_link_libraries(heat PRIVATE "{_workshop.Libraries}/libsnapshot.so.0")
            """);
        string folder = _workshop.PathOf("");
        Repository.Run(folder, "cmake", "-S", folder, "-B", _workshop.PathOf("build")).Good();
        Repository.Run(folder, "cmake", "--build", _workshop.PathOf("build")).Good();
        Assert.StartsWith(
            "from generation 0\nchecksum ",
            Repository.Run(folder, _workshop.PathOf("build/heat"), _workshop.PathOf("store"), "10").Good(),
            StringComparison.Ordinal);
    }

    [MachineFact]
    public void Each_kind_comes_back() => Twice("kinds");

    [MachineFact]
    public void Arrays_have_ranks_from_0_to_7() => Assert.Equal("", Run("ranks").Good());

    [MachineFact]
    public void Memory_of_the_program_comes_back() => Twice("protects");

    [MachineFact]
    public void Threads_and_the_locks_they_held_come_back() => Twice("threads");

    [MachineFact]
    public void Handlers_are_told_and_may_abort() => Assert.Equal("", Run("handlers").Good());

    [MachineFact]
    public void An_error_is_told_by_ierr_and_else_stops_the_program()
    {
        ProgramResult result = Run("errors");
        Assert.Equal("", result.Output);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith(
            "ERROR STOP snapshot: The session is NULL.", result.Error, StringComparison.Ordinal);
    }

    /// <summary>The enumerators count as those of C do, from 1 and from 101. One has another name, since a
    /// module is called snapshot_mpi.</summary>
    [MachineFact]
    public void Codes_are_those_of_C()
    {
        string header = File.ReadAllText(Path.Combine(LibraryWorkshop.Headers, "snapshot.h"));
        header = header[header.IndexOf("enum snapshot_code", StringComparison.Ordinal)..];
        header = header[..header.IndexOf("};", StringComparison.Ordinal)];
        string[] inC = [.. CodeOfC().Matches(header).Select(
            match => match.Groups[1].Value.ToLowerInvariant())];
        string module = File.ReadAllText(Module);
        module =
            module[module.IndexOf("enumerator :: snapshot_native_library = 1", StringComparison.Ordinal)..];
        string[] inFortran =
        [
            .. NameOfFortran().Matches(module[..module.IndexOf("! Of this module", StringComparison.Ordinal)])
                .Select(match => match.Groups[1].Value),
        ];
        Assert.Equal(inC, inFortran.Select(name => name == "mpi_failed" ? "mpi" : name));
        Assert.Contains("snapshot_invalid_argument = 101", module, StringComparison.Ordinal);
    }

    public void Dispose() => _workshop.Dispose();

    private void Twice(string scene)
    {
        Assert.Equal("", Run(scene).Good());
        Assert.Equal("", Run(scene).Good());
    }

    private ProgramResult Run(string scene) =>
        Repository.Run(_workshop.PathOf(""), Program, scene, _workshop.PathOf("store"));

    [GeneratedRegex(@"^    SNAPSHOT_([A-Z_]+) = \d+", RegexOptions.Multiline)]
    private static partial Regex CodeOfC();

    [GeneratedRegex(@"snapshot_(\w+)")]
    private static partial Regex NameOfFortran();
}
