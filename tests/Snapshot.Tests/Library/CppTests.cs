using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>snapshot.hpp: scenes of cpp_tests.cpp, which find by themselves what is wrong.</summary>
[Needs(Programs = ["g++"], Toolchain = true)]
public sealed class CppTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    [MachineTheory]
    [InlineData("c++17")]
    [InlineData("c++20")]
    [InlineData("c++2b")]
    public void It_compiles_without_a_warning_and_knows_the_layouts(string standard) =>
        Assert.Equal("", Run(Build(standard), "layouts").Good());

    [MachineTheory]
    [InlineData("arrays")]
    [InlineData("handlers")]
    [InlineData("threads")]
    [InlineData("tickets")]
    public void A_scene_goes_well(string scene) => Assert.Equal("", Run(Build("c++17"), scene).Good());

    [MachineFact]
    public void Arrays_and_protected_memory_come_back()
    {
        string program = Build("c++20");
        Assert.Equal("", Run(program, "arrays").Good());
        Assert.Equal("", Run(program, "arrays").Good());
    }

    [MachineFact]
    public void An_error_that_nobody_can_be_thrown_is_written()
    {
        ProgramResult result = Run(Build("c++17"), "scope");
        Assert.Equal(
            "snapshot: Checkpoint 1 was aborted by handler 'aborts' with code 7.\n", result.Error);
    }

    [MachineFact]
    public void A_type_without_a_layout_is_refused()
    {
        string file = _workshop.PathOf("refused.cpp");
        foreach ((string type, string reason) in (ReadOnlySpan<(string, string)>)
        [
            ("long double", "there is no layout of long double"),
            ("std::string", "what is in images is bytes"),
            ("unknown", "incomplete type"),
        ])
        {
            File.WriteAllText(
                file,
                $$"""
                #include <snapshot.hpp>
                struct unknown { int value; };
                void make(snapshot::session &session) { session.array<{{type}}>("name", 1); }
                """);
            ProgramResult result = Repository.Run(
                _workshop.PathOf(""), "g++", "-std=c++17", $"-I{LibraryWorkshop.Headers}", "-fsyntax-only",
                file);
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _workshop.Dispose();

    private string Build(string standard) => _workshop.Build(
        [Path.Combine(LibraryWorkshop.Sources, "cpp_tests.cpp")], "g++", $"-std={standard}", "-Wall",
        "-Wextra",
        "-Wconversion", "-pedantic", "-Werror");

    private ProgramResult Run(string program, string scene) =>
        Repository.Run(_workshop.PathOf(""), program, scene, _workshop.PathOf("store"));
}
