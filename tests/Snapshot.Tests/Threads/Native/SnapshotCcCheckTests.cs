using System.Diagnostics;
using Snapshot.NativeThreads;
using Snapshot.Tests.FrontDoor;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>What snapshot-cc says of modules, as it links them and by its command check.</summary>
public sealed class SnapshotCcCheckTests : IDisposable
{
    private const string Stream =
        "#include <iostream>\nextern \"C\" int work(int x) { std::cout << x; return x; }\n";

    private const string Broken = "#include <stdlib.h>\nint work(int x) { return x + rand(); }\n";

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [ToolTheory("g++", "gfortran")]
    [InlineData("cc", ".c", ModuleWorkshop.GoodSource)]
    [InlineData("g++", ".cpp", """
        #include <stdexcept>
        #include <string>
        extern "C" int work(int n)
        {
            try { throw std::runtime_error(std::to_string(n)); }
            catch (const std::exception &error) { return std::string(error.what()).size(); }
        }
        """)]
    [InlineData("gfortran", ".f90", """
        subroutine work(a, n) bind(c)
          use iso_c_binding
          integer(c_int), value :: n
          real(c_double) :: a(n)
          a = sqrt(a) + sin(a)
        end subroutine
        """)]
    public void A_module_that_keeps_the_contract_is_told_so(string compiler, string extension, string source)
    {
        string path = _workshop.NextModule();
        AssertSilent(
            _workshop.RunBuilt(compiler, "-O2", _workshop.Write(source, extension), "-o", path, "-lm"));
        ProgramResult check = _workshop.RunBuilt("check", path);
        Assert.Equal(0, check.ExitCode);
        Assert.Empty(check.Error);
        Assert.Equal(
            $"{path} keeps the contract of native modules, version 1: base " +
            $"{NativeModuleBase.At(ElfImage.Open(path).Extent.Start)}, checked when it was linked.\n",
            check.Output);
        Assert.Equal(path, NativeModuleContract.Require(path, []).Path);
    }

    [ToolFact("g++")]
    public void A_stream_is_one_line_and_nothing_is_left_of_what_was_linked()
    {
        string path = _workshop.NextModule(), source = _workshop.Write(Stream, ".cpp");
        ProgramResult linked = _workshop.RunBuilt("g++", "-O2", source, "-o", path);
        Assert.Equal(1, linked.ExitCode);
        Assert.False(File.Exists(path), "the module is there");
        string finding = Assert.Single(linked.Error.TrimEnd('\n').Split('\n')[1..]);
        Assert.StartsWith("  It has the streams of <iostream> in it", finding, StringComparison.Ordinal);
        Assert.Contains("says #include <iostream>. Let C# read and write", finding, StringComparison.Ordinal);

        AssertSilent(_workshop.RunBuilt("--no-check", "g++", "-O2", source, "-o", path));
        ProgramResult check = _workshop.RunBuilt("check", path);
        Assert.Equal(1, check.ExitCode);
        Assert.Empty(check.Output);
        SnapshotException refused =
            Assert.Throws<SnapshotException>(() => NativeModuleContract.Require(path, []));
        Assert.Equal(refused.Message + "\n", check.Error);
    }

    [ToolFact("g++")]
    public void The_document_shows_what_is_printed()
    {
        string text = Words(File.ReadAllText(Path.Combine(Repository.Root, "docs/NATIVE.md")));
        string chatty =
            _workshop.Write("#include <cstdlib>\n" + Stream.Replace("<< x;", "<< std::rand();"), ".cpp");
        ProgramResult broken = _workshop.RunBuilt("g++", "-O2", chatty, "-o", "libchatty.so");
        Assert.Contains($"$ snapshot-cc g++ -O2 chatty.cpp -o libchatty.so {Words(broken.Error)}```", text);

        AssertSilent(_workshop.RunBuilt("cc", _workshop.Write("int x;"), "-o", "libsum.so"));
        ProgramResult kept = _workshop.RunBuilt("check", "libsum.so");
        Assert.Contains($"$ snapshot-cc check libsum.so {Words(kept.Output)}```", text);

        static string Words(string text) => string.Join(' ', text.Split((char[])[' ', '\n'],
            StringSplitOptions.RemoveEmptyEntries)) + " ";
    }

    [Fact]
    public void A_module_linked_without_the_check_is_told_apart()
    {
        string path = Linked("--no-check");
        Assert.Null(ModuleNote.PlaceIn(ElfImage.Open(path)));
        ProgramResult check = _workshop.RunBuilt("check", path);
        Assert.Equal(0, check.ExitCode);
        Assert.EndsWith(", not checked when it was linked.\n", check.Output, StringComparison.Ordinal);
        Assert.Equal(path, NativeModuleContract.Require(path, []).Path);
    }

    [ToolFact("strip")]
    public void A_stripped_module_keeps_its_note()
    {
        string path = Linked();
        ModuleWorkshop.AssertDone(Repository.Run("/", "strip", path));
        ProgramResult check = _workshop.RunBuilt("check", path);
        Assert.Equal(0, check.ExitCode);
        Assert.EndsWith(", checked when it was linked.\n", check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_cannot_be_read_and_what_is_no_module_are_told_apart()
    {
        ProgramResult misspelt = _workshop.RunBuilt("check", "/nowhere/libmisspelt.so");
        Assert.Equal(2, misspelt.ExitCode);
        Assert.Equal(
            Assert.Throws<SnapshotException>(() => ElfImage.Open("/nowhere/libmisspelt.so")).Message + "\n",
            misspelt.Error);

        string text = _workshop.Write("int x;"), good = Linked();
        ProgramResult mixed = _workshop.RunBuilt("check", text, good);
        Assert.Equal(1, mixed.ExitCode);
        Assert.Contains(
            $"{text} cannot be a native module: it is not an ELF file", mixed.Error,
            StringComparison.Ordinal);
        Assert.StartsWith($"{good} keeps the contract", mixed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check", "which file? snapshot-cc check FILE.")]
    [InlineData("stamp", "which file? snapshot-cc stamp FILE.")]
    [InlineData("check --quick libx.so", "the option --quick is not known")]
    [InlineData("stamp --quick libx.so", "the option --quick is not known")]
    [InlineData("stamp --or-delete", "the option --or-delete is not known")]
    public void Mistakes_are_told(string arguments, string message)
    {
        ProgramResult result = _workshop.RunBuilt(arguments.Split(' '));
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"snapshot-cc: {message}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_dotnet_it_is_told_what_is_missing_before_anything_is_made()
    {
        string path = _workshop.NextModule(), source = _workshop.Write("int work(int x) { return x; }");
        string programs = Directory.CreateDirectory(path + ".programs").FullName;
        foreach (string program in (string[])["dirname", "cksum", "cc", "as", "ld"])
            File.CreateSymbolicLink(Path.Combine(programs, program), BareMachine.FindOnPath(program)!);
        void WithoutDotnet(ProcessStartInfo start)
        {
            start.Environment["PATH"] = programs;
            start.Environment.Remove("DOTNET_HOST_PATH");
        }

        const string Missing =
            "snapshot-cc: 'dotnet', by which modules are checked, is not on the PATH. Install the ";
        ProgramResult check = _workshop.RunBuiltWith(WithoutDotnet, "check", Linked());
        Assert.Equal(2, check.ExitCode);
        Assert.StartsWith(Missing, check.Error, StringComparison.Ordinal);

        ProgramResult link = _workshop.RunBuiltWith(WithoutDotnet, "--no-runtime", "cc", source, "-o", path);
        Assert.Equal(2, link.ExitCode);
        Assert.StartsWith(Missing, link.Error, StringComparison.Ordinal);
        Assert.EndsWith("or give --no-check.\n", link.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(path), "the module is there");

        AssertSilent(_workshop.RunBuiltWith(
            WithoutDotnet, "--no-check", "--no-runtime", "cc", source, "-o", path));
        AssertSilent(_workshop.RunBuiltWith(
            start =>
            {
                start.Environment["PATH"] = programs;
                start.Environment["DOTNET_HOST_PATH"] = BareMachine.FindOnPath("dotnet")!;
            },
            "--no-runtime", "cc", source, "-o", path));
    }

    [Fact]
    public void A_command_without_its_check_says_where_there_is_one()
    {
        string command = Path.Combine(Repository.Root, "src/Native/threads/snapshot-cc");
        ProgramResult result = Repository.Run("/", "sh", command, "check", "libx.so");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(
            "snapshot-cc: Snapshot.ModuleCheck.dll, which checks modules, is not beside this command, in ",
            result.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_check_that_does_not_end_leaves_no_module()
    {
        string path = _workshop.NextModule(), dotnet = _workshop.Write("#!/bin/sh\nexit 150\n", ".sh");
        File.SetUnixFileMode(dotnet, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        ProgramResult result = _workshop.RunBuiltWith(
            start => start.Environment["DOTNET_HOST_PATH"] = dotnet,
            "--no-runtime", "cc", _workshop.Write("int x;"), "-o", path);
        Assert.Equal(150, result.ExitCode);
        Assert.Contains(
            $"the check of {path} did not end (status 150)", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(path), "the module is there");
    }

    [Fact]
    public void Modules_are_checked_in_the_order_in_which_they_are_loaded()
    {
        string folder = _workshop.Folder, provider = Path.Combine(folder, "libprovider.so"), user =
            _workshop.NextModule();
        AssertSilent(_workshop.RunBuilt(
            "--no-runtime", "--base", "1", "cc", _workshop.Write("int provided(int x) { return 2 * x; }"),
            "-o", provider,
            "-Wl,-soname,libprovider.so"));
        string source = _workshop.Write("int provided(int); int work(int x) { return provided(x) + 1; }");
        AssertSilent(_workshop.RunBuilt(
            "--no-runtime", "--base", "2", "cc", source, "-o", user, $"-L{folder}", "-lprovider"));
        Assert.Equal(0, _workshop.RunBuilt("check", provider, user).ExitCode);

        ProgramResult alone = _workshop.RunBuilt("check", user);
        Assert.Equal(1, alone.ExitCode);
        Assert.Contains("It needs libprovider.so", alone.Error, StringComparison.Ordinal);
        Assert.Contains("It imports 'provided'", alone.Error, StringComparison.Ordinal);

        AssertSilent(_workshop.RunBuilt("--no-runtime", "--base", "1", "cc", source, provider, "-o", user));
        ProgramResult both = _workshop.RunBuilt("check", provider, user);
        Assert.Equal(1, both.ExitCode);
        Assert.Contains(
            $"{provider} and {user} are both linked at base 1", both.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_linked_by_printed_flags_is_stamped_afterwards_or_deleted()
    {
        ElfImage good = _workshop.Spoilt("int work(int x) { return x; }", noted: true);
        Assert.EndsWith(
            ", not checked when it was linked.\n", _workshop.RunBuilt("check", good.Path).Output,
            StringComparison.Ordinal);
        AssertSilent(_workshop.RunBuilt("stamp", "--or-delete", good.Path));
        Assert.EndsWith(
            ", checked when it was linked.\n", _workshop.RunBuilt("check", good.Path).Output,
            StringComparison.Ordinal);

        ElfImage bad = _workshop.Spoilt(Broken, noted: true);
        Assert.Equal(1, _workshop.RunBuilt("stamp", bad.Path).ExitCode);
        Assert.True(File.Exists(bad.Path), "the module was deleted");
        Assert.Equal(1, _workshop.RunBuilt("stamp", "--or-delete", bad.Path).ExitCode);
        Assert.False(File.Exists(bad.Path), "the module is there");

        ProgramResult without = _workshop.RunBuilt("stamp", Linked("--no-check"));
        Assert.Equal(1, without.ExitCode);
        Assert.Contains(
            "it was linked without room for a note (.note.snapshot)", without.Error,
            StringComparison.Ordinal);
    }

    [ToolFact("cmake")]
    public void CMake_checks_what_it_has_linked()
    {
        string folder = Directory.CreateDirectory(_workshop.NextModule()).FullName;
        File.WriteAllText(Path.Combine(folder, "heat.c"), ModuleWorkshop.GoodSource);
        File.WriteAllText(
            Path.Combine(folder, "flow.c"), "int heat(int); int flow(int x) { return heat(x); }");
        File.WriteAllText(Path.Combine(folder, "bad.c"), Broken);
        File.WriteAllText(Path.Combine(folder, "CMakeLists.txt"), $"""
            cmake_minimum_required(VERSION 3.16)
            project(modules C)
            include({Path.Combine(ModuleLibrary.Runtime, "SnapshotModule.cmake")})
            snapshot_module(heat SOURCES heat.c heat2.c NO_RUNTIME)
            target_link_libraries(heat PRIVATE m)
            snapshot_module(flow SOURCES flow.c NO_RUNTIME)
            target_link_libraries(flow PRIVATE heat)
            snapshot_module(bad SOURCES bad.c NO_RUNTIME)
            snapshot_module(unchecked SOURCES bad.c NO_RUNTIME NO_CHECK)

            """);
        File.WriteAllText(Path.Combine(folder, "heat2.c"), "int heat(int x) { return x; }");
        ModuleWorkshop.AssertDone(Repository.Run(folder, "cmake", ["-S", ".", "-B", "out"]));
        foreach (string target in (string[])["flow", "unchecked"])
            ModuleWorkshop.AssertDone(
                Repository.Run(folder, "cmake", ["--build", "out", "--target", target]));
        string Of(string name) => Path.Combine(folder, "out", $"lib{name}.so");
        ProgramResult check = _workshop.RunBuilt("check", Of("heat"), Of("flow"));
        Assert.True(check.ExitCode == 0, check.ToString());
        Assert.DoesNotContain("not checked", check.Output, StringComparison.Ordinal);
        Assert.Null(ModuleNote.PlaceIn(ElfImage.Open(Of("unchecked"))));

        ProgramResult bad = Repository.Run(folder, "cmake", ["--build", "out", "--target", "bad"]);
        Assert.NotEqual(0, bad.ExitCode);
        Assert.Contains("It imports 'rand': ", bad.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Of("bad")), "the module is there");
    }

    private string Linked(params string[] options)
    {
        string path = _workshop.NextModule(), source = _workshop.Write("int work(int x) { return x + 1; }");
        AssertSilent(_workshop.RunBuilt([.. options, "--no-runtime", "cc", source, "-o", path]));
        return path;
    }

    private static void AssertSilent(ProgramResult result)
    {
        ModuleWorkshop.AssertDone(result);
        Assert.Empty(result.Output + result.Error);
    }
}
