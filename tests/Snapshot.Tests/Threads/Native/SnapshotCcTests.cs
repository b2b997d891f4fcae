using System.Globalization;
using Snapshot.NativeThreads;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>The command snapshot-cc, and its function in CMake.</summary>
public sealed class SnapshotCcTests : IDisposable
{
    private const string Source = "int work(int x) { return x + 1; }";

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void A_slot_is_the_address_that_the_library_computes()
    {
        foreach (int number in (int[])[0, 1, 77, NativeModuleBase.Count - 1])
        {
            string path = _workshop.NextModule();
            ModuleWorkshop.AssertDone(_workshop.Run(
                "--base", number.ToString(CultureInfo.InvariantCulture), "--no-runtime", "cc",
                _workshop.Write(Source),
                "-o", path));
            Assert.Equal(NativeModuleBase.AddressOf(number), ElfImage.Open(path).Extent.Start);
        }
    }

    [Fact]
    public void The_default_slot_follows_from_the_file_name_alone()
    {
        string here = Flags("libone.so");
        Assert.Equal(here, Flags("/some/where/else/libone.so"));
        string[] all = [.. Enumerable.Range(0, 20).Select(number => Flags($"lib{number}.so")).Distinct()];
        Assert.InRange(all.Length, 12, 20);
    }

    [Fact]
    public void Modules_can_be_compiled_in_parts()
    {
        string part = _workshop.NextModule() + ".o", path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(_workshop.Run("cc", "-c", _workshop.Write(Source), "-o", part));
        ModuleWorkshop.AssertDone(_workshop.Run("--no-runtime", "cc", "-o" + path, part));
        Assert.Empty(NativeModuleContract.ViolationsOf(ElfImage.Open(path), []));
    }

    [Theory]
    [InlineData("--baset 3 cc", "the option --baset is not known")]
    [InlineData("--base 128 cc", "the bases 0 to 127")]
    [InlineData("--base=4711 cc", "'4711' is none")]
    [InlineData("--base -1 cc", "'-1' is none")]
    [InlineData("--base", "takes a number")]
    [InlineData("", "which compiler?")]
    [InlineData("--no-runtime", "which compiler?")]
    [InlineData("nocompiler -o libx.so", "the compiler 'nocompiler' is not on the PATH")]
    [InlineData("--no-runtime cc x.c", "-o libNAME.so")]
    [InlineData("--print-flags", "takes the name of the module")]
    [InlineData("--no-runtime cc -fopenmp x.c -o libx.so", "-fopenmp makes threads")]
    [InlineData("--no-runtime cc -static x.c -o libx.so", "-static makes something else")]
    [InlineData("cc x.c -o libx.so", "libsnapshot_threads.so is not in ")]
    [InlineData("--program --no-runtime cc x.c -o x", "exclude each other")]
    [InlineData("--program cc x.c", "the program's name is missing")]
    [InlineData("--program cc -fopenmp x.c -o x", "a program of 'snapshot exec' has one")]
    public void Mistakes_are_told(string arguments, string message)
    {
        ProgramResult result = _workshop.RunWith(
            start => start.Environment["SNAPSHOT_MODULE_DIR"] = "/nowhere",
            arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("snapshot-cc: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_failed_compiler_fails_the_command()
    {
        ProgramResult result =
            _workshop.Run("--no-runtime", "cc", _workshop.Write("int work("), "-o", _workshop.NextModule());
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("error", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_runtime_is_linked_from_its_directory()
    {
        string directory = Directory.CreateDirectory(_workshop.NextModule() + " with a blank").FullName;
        string library = Path.Combine(directory, "libsnapshot_threads.so"), part =
            _workshop.NextModule() + ".o";
        ModuleWorkshop.AssertDone(_workshop.Run(
            "--no-runtime", "cc", _workshop.Write("int sn_something(void) { return 7; }"), "-o", library,
            "-Wl,-soname,libsnapshot_threads.so"));
        const string Shim =
            "__attribute__((visibility(\"hidden\"))) void *malloc(unsigned long n) { return (void *)n; }";
        ModuleWorkshop.AssertDone(
            _workshop.Run("cc", "-fno-builtin", "-c", _workshop.Write(Shim), "-o", part));
        ModuleWorkshop.AssertDone(Repository.Run(
            directory, "ar", ["rcs", Path.Combine(directory, "libsnapshot_threads_shim.a"), part]));

        const string User = "#include <stdlib.h>\nint sn_something(void);\n" +
            "void *work(void) { return malloc(5 + (unsigned)sn_something()); }";
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(_workshop.RunWith(
            start => start.Environment["SNAPSHOT_MODULE_DIR"] = directory,
            ["cc", "-x", "c", _workshop.Write(User), "-o", path]));
        ElfImage module = ElfImage.Open(path);
        Assert.Empty(NativeModuleContract.ViolationsOf(module, []));
        Assert.Contains("libsnapshot_threads.so", module.Dynamic.Needed);
    }

    [ToolFact("cmake")]
    public void CMake_makes_the_same_module()
    {
        string folder = Directory.CreateDirectory(_workshop.NextModule()).FullName;
        File.WriteAllText(Path.Combine(folder, "heat.c"), ModuleWorkshop.GoodSource);
        string function = Path.Combine(Repository.Root, "src/Native/threads/SnapshotModule.cmake");
        File.WriteAllText(Path.Combine(folder, "CMakeLists.txt"), $"""
            cmake_minimum_required(VERSION 3.16)
            project(modules C)
            include({function})
            snapshot_module(heat SOURCES heat.c BASE 5 NO_RUNTIME NO_CHECK)
            target_link_libraries(heat PRIVATE m)

            """);
        ModuleWorkshop.AssertDone(
            Repository.Run(folder, "cmake", ["-S", ".", "-B", "out", "-DCMAKE_BUILD_TYPE=Release"]));
        ModuleWorkshop.AssertDone(Repository.Run(folder, "cmake", ["--build", "out"]));
        ElfImage module = ElfImage.Open(Path.Combine(folder, "out", "libheat.so"));
        Assert.Empty(NativeModuleContract.ViolationsOf(module, []));
        Assert.Equal(NativeModuleBase.AddressOf(5), module.Extent.Start);

        File.AppendAllText(
            Path.Combine(folder, "CMakeLists.txt"), "snapshot_module(cold SOURCES heat.c BASE 500)\n");
        ProgramResult result = Repository.Run(folder, "cmake", ["-S", ".", "-B", "out"]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("--base 500", result.Error, StringComparison.Ordinal);
    }

    private string Flags(string module)
    {
        ProgramResult result = _workshop.Run("--no-runtime", "--print-flags=link", module);
        ModuleWorkshop.AssertDone(result);
        return result.Output;
    }
}
