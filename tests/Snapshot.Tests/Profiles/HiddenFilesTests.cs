using System.Diagnostics;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Profiles;

/// <summary>What small images of containers and sandboxes do not have or do not show.</summary>
public sealed class HiddenFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-hidden-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Checkpoints_need_no_OpenSSL()
    {
        ProgramResult run = Run("libssl,libcrypto", "filtered-life", "store", "Eager");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.EndsWith("committed 5\n", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/self/maps")]
    [InlineData("nothing that there is")]
    public void Arenas_are_placed_beside_what_is_mapped_already_shown_or_not(string hidden)
    {
        ProgramResult run = Run(hidden, "hidden-place", "store");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal("arena 0: above\narena 1: above\narena 2: above\n", run.Output);
    }

    private ProgramResult Run(string hidden, params string[] arguments)
    {
        string library = Path.Combine(_folder.FullName, "hide.so");
        ProgramResult built = Repository.Run(
            _folder.FullName, "cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
            Path.Combine(Repository.Root, "tests/Snapshot.FaultRig/hide.c"), "-o", library, "-ldl");
        Assert.True(built.ExitCode == 0, built.ToString());
        ProcessStartInfo start = new(
            "dotnet",
            ["exec", Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll"), .. arguments])
        { WorkingDirectory = _folder.FullName };
        start.Environment["LD_PRELOAD"] = library;
        start.Environment["HIDDEN"] = hidden;
        return Repository.Run(start);
    }
}
