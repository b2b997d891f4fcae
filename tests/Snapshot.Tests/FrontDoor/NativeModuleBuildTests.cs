using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>The item SnapshotNative, in a project outside the repository whose folder has a space.</summary>
public sealed class NativeModuleBuildTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot native item ");

    public NativeModuleBuildTests()
    {
        File.WriteAllText(PathOf("Program.cs"), "System.Console.WriteLine();\n");
        File.WriteAllText(PathOf("one.c"), "#include \"shared.h\"\nint one(void) { return SHARED; }\n");
        File.WriteAllText(
            PathOf("two.cpp"),
            "#include <map>\nextern \"C\" int two() { return std::map<int, int>{}[1]; }\n");
        File.WriteAllText(PathOf("three.c"), "int part(void);\nint three(void) { return part(); }\n");
        File.WriteAllText(PathOf("part.c"), "int part(void) { return 3; }\n");
        File.WriteAllText(PathOf("shared.h"), "#define SHARED 1\n");
    }

    [ToolFact("gcc", "g++")]
    public void Each_module_is_beside_the_program_and_made_again_when_what_it_is_made_of_has_changed()
    {
        WriteProject("""
            <SnapshotNative Include="one.c;two.cpp" />
            <SnapshotNative Include="three.c;part.c" Module="three" />
            """);
        Done(Build("build"));
        Assert.Equal(
            ["libone.so", "libthree.so", "libtwo.so"],
            Directory.GetFiles(Output, "lib*.so").Select(Path.GetFileName)
                .Where(name => !name!.StartsWith("libsnapshot", StringComparison.Ordinal)).Order());
        DateTime[] first = Times();

        Done(Build("build", "--no-restore"));
        Assert.Equal(first, Times());

        File.SetLastWriteTimeUtc(PathOf("part.c"), DateTime.UtcNow);
        Done(Build("build", "--no-restore"));
        DateTime[] second = Times();
        Assert.Equal(first[..2], second[..2]);
        Assert.NotEqual(first[2], second[2]);

        File.SetLastWriteTimeUtc(PathOf("shared.h"), DateTime.UtcNow);
        Done(Build("build", "--no-restore"));
        Assert.NotEqual(second[0], Times()[0]);

        Done(Build("publish", "--no-build", "-o", "published"));
        Assert.True(File.Exists(PathOf("published/libone.so")), "the module was not published");
        Assert.Empty(Directory.GetDirectories(PathOf($"obj/{Repository.Configuration}/net10.0/modules")));
    }

    [Fact]
    public void A_missing_compiler_is_an_error_and_for_an_optional_module_a_message()
    {
        WriteProject("""<SnapshotNative Include="one.c" Compiler="no-such-cc" />""");
        Refused("SNAP2001: 'no-such-cc' is not on the PATH, which compiles libone.so");

        WriteProject("""<SnapshotNative Include="one.c" Compiler="no-such-cc" Optional="true" />""");
        ProgramResult left = Compile();
        Done(left);
        Assert.Contains(
            "no-such-cc is not on the PATH, so libone.so is left out", left.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Which_compiler_makes_a_module_must_be_clear()
    {
        WriteProject("""<SnapshotNative Include="Program.cs" />""");
        Refused("SNAP2003: 'Program.cs' has an extension that tells no language");

        WriteProject("""<SnapshotNative Include="one.c;two.cpp" Module="both" />""");
        Refused("SNAP2003: The sources of libboth.so would be compiled by several compilers (gcc;g++)");
    }

    [Fact]
    public void For_another_architecture_a_module_is_refused_and_an_optional_one_left_out()
    {
        WriteProject("""<SnapshotNative Include="one.c" />""");
        string[] elsewhere = ["-p:RuntimeIdentifier=linux-arm64", "-p:UseAppHost=false"];
        Refused("SNAP2002: Native threads run on linux-x64 alone", elsewhere);

        WriteProject("""<SnapshotNative Include="one.c" Optional="true" />""");
        ProgramResult left = Compile(elsewhere);
        Done(left);
        Assert.Contains("left out for linux-arm64", left.Output, StringComparison.Ordinal);
    }

    [ToolFact("gcc")]
    public void A_module_is_linked_at_the_slot_that_its_item_says()
    {
        WriteProject("""<SnapshotNative Include="part.c" Base="127" />""");
        Done(Compile());
        WriteProject("""<SnapshotNative Include="part.c" Base="128" />""");
        Refused("snapshot-cc: --base 128: there are the bases 0 to 127.");
    }

    [ToolFact("gcc")]
    public void An_error_of_the_compiler_is_one_of_the_build_and_leaves_nothing() => RefusedLeavingNothing(
        "int one(void) { return nothing; }\n", "one.c(1,24): error ");

    [ToolFact("gcc")]
    public void A_module_that_breaks_the_contract_is_an_error_of_the_build_and_leaves_nothing() =>
        RefusedLeavingNothing(
            "#include <stdlib.h>\nint one(void) { return rand(); }\n",
            "error :   It imports 'rand': the state of its random numbers is in libc and not captured.");

    public void Dispose() => _directory.Delete(recursive: true);

    private static void Done(ProgramResult result) => Assert.True(result.ExitCode == 0, result.ToString());

    private void RefusedLeavingNothing(string source, string error)
    {
        File.WriteAllText(PathOf("one.c"), source);
        WriteProject("""<SnapshotNative Include="one.c" />""");
        Refused(error);
        Assert.Empty(
            Directory.GetFileSystemEntries(PathOf($"obj/{Repository.Configuration}/net10.0/modules")));
    }

    private void Refused(string message, params string[] arguments)
    {
        ProgramResult refused = Compile(arguments);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(message, refused.Output, StringComparison.Ordinal);
    }

    private string Output => PathOf($"bin/{Repository.Configuration}/net10.0");

    private DateTime[] Times() => [.. ((string[])["one", "two", "three"])
        .Select(name => File.GetLastWriteTimeUtc(Path.Combine(Output, $"lib{name}.so")))];

    private string PathOf(string file) => Path.Combine(_directory.FullName, file);

    private const string Targets = "src/Snapshot.NativeThreads/build/Snapshot.NativeThreads.targets";

    private void WriteProject(string items) => File.WriteAllText(PathOf("User.csproj"), $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            {items}
          </ItemGroup>
          <Import Project="{Path.Combine(Repository.Root, Targets)}" />
        </Project>
        """);

    /// <summary>The modules alone.</summary>
    private ProgramResult Compile(params string[] arguments) =>
        Build("msbuild", ["-restore", "-t:CompileSnapshotNative", .. arguments]);

    private ProgramResult Build(string verb, params string[] arguments) => Repository.Run(
        _directory.FullName, "dotnet",
        [verb, $"-p:Configuration={Repository.Configuration}", "-nologo", "-nodeReuse:false", .. arguments]);
}
