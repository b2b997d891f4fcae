using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>Native.targets, on a copy of the C sources in a folder whose name has a space.</summary>
public sealed class NativeBuildTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot native build ");

    public NativeBuildTests()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/Native")))
            File.Copy(file, PathOf(Path.GetFileName(file)));
        File.WriteAllText(
            PathOf("native.proj"), """<Project><Import Project="Native.targets" /></Project>""");
    }

    [Fact]
    public void Only_a_changed_source_is_compiled_again()
    {
        Assert.Equal(0, Build().ExitCode);
        string library = PathOf("obj/Release/libsnapshot_native.so");
        DateTime first = File.GetLastWriteTimeUtc(library);
        Assert.Equal(0, Build().ExitCode);
        Assert.Equal(first, File.GetLastWriteTimeUtc(library));
        Assert.Equal(0, Build("-p:NativeCompiler=no-such-cc").ExitCode);

        File.SetLastWriteTimeUtc(PathOf("snapshot_native.h"), first.AddSeconds(1));
        Assert.Equal(0, Build().ExitCode);
        Assert.NotEqual(first, File.GetLastWriteTimeUtc(library));
        Assert.Equal([library], Directory.EnumerateFiles(PathOf("obj/Release")));
    }

    [Fact]
    public void Without_a_compiler_the_error_says_which_package_to_install()
    {
        ProgramResult result = Build("-p:NativeCompiler=no-such-cc");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("error SNAP0001", result.Output, StringComparison.Ordinal);
        Assert.Contains("'no-such-cc' is not on the PATH", result.Output, StringComparison.Ordinal);
        Assert.Contains("apt-get install gcc libc6-dev", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_cross_compiler_the_error_says_which_package_to_install()
    {
        ProgramResult result =
            Build("-p:RuntimeIdentifier=linux-arm64", "-p:NativeCrossCompiler=no-such-gcc");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("error SNAP0003", result.Output, StringComparison.Ordinal);
        Assert.Contains("'no-such-gcc' is not on the PATH", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross", result.Output,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("win-x64")]
    [InlineData("linux-musl-arm64")]
    [InlineData("osx-arm64")]
    public void A_program_for_a_machine_that_there_is_no_library_for_is_refused(string runtime)
    {
        ProgramResult result = Build($"-p:RuntimeIdentifier={runtime}");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("error SNAP0002", result.Output, StringComparison.Ordinal);
        Assert.Contains($"cannot be built for '{runtime}'", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_warning_of_the_compiler_is_an_error_of_the_build()
    {
        File.AppendAllText(PathOf("abi.c"), "static int unused(void) { return 1; }\n");
        ProgramResult result = Build();
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("defined but not used", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(PathOf("obj/Release")));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string PathOf(string file) => Path.Combine(_directory.FullName, file);

    private ProgramResult Build(params string[] arguments) => Repository.Run(
        _directory.FullName,
        "dotnet",
        [
            "msbuild", "native.proj", "-t:CompileNative", "-p:Configuration=Release", "-nologo",
            "-nodeReuse:false",
            .. arguments,
        ]);
}
