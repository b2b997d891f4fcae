using System.IO.Pipelines;
using System.Text;
using Snapshot.Machines;
using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>What is missing, fails or hangs is told, with what to do.</summary>
public sealed class MissingTests
{
    [Fact]
    public void A_program_that_is_not_there_is_named_with_its_package()
    {
        Assert.Null(HostProgram.Find("no-such-program"));
        MachineException error = Assert.Throws<MachineException>(() => HostProgram.Run("no-such-program"));
        Assert.Contains("no-such-program is not on the PATH", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "apt-get install e2fsprogs", HostProgram.Missing("debugfs").Message, StringComparison.Ordinal);
        Assert.Equal(
            HostProgram.Missing("no-such-program").Message,
            GuestNeeds.ObstacleOf(["sh", "no-such-program"], GuestNeeds.Kernel));
    }

    [Fact]
    public void A_program_that_fails_is_told_with_what_it_said()
    {
        MachineException error = Assert.Throws<MachineException>(
            () => HostProgram.Require("sh", "-c", "echo why >&2; exit 3"));
        Assert.EndsWith("ended with exit code 3: why", error.Message, StringComparison.Ordinal);
    }

    [ToolFact("apt-cache")]
    public void A_kernel_that_apt_does_not_offer_is_told()
    {
        MachineException error = Assert.Throws<MachineException>(() => PackageCache.NewestKernel("1.2"));
        Assert.Contains("apt offers no kernel 1.2", error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, GuestNeeds.ObstacleOf([], "1.2"));
    }

    [ToolFact("apt-cache", "apt-get", "dpkg-deb")]
    public void A_package_that_apt_does_not_offer_is_told_and_leaves_nothing()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-packages-");
        PackageCache packages = new(folder.FullName);
        Assert.Throws<MachineException>(() => packages.Unpacked("no-such-package-of-debian"));
        Assert.Empty(folder.EnumerateFileSystemInfos());
        folder.Delete();
    }

    [Fact]
    public void Versions_are_ordered_by_their_numbers()
    {
        Assert.True(PackageCache.CompareNumbers("linux-image-6.1.0-9", "linux-image-6.1.0-57") < 0);
        Assert.True(
            PackageCache.CompareNumbers("linux-image-6.12.117+deb12", "linux-image-6.12.113+deb12") > 0);
        Assert.Equal(0, PackageCache.CompareNumbers("a1", "b1"));
    }

    [Fact]
    public async Task A_guest_that_falls_silent_is_told_from_one_that_ended()
    {
        Pipe pipe = new();
        List<string> observed = [];
        await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes("one\r\ntwo\nhalf"));
        GuestConsole console = new(new StreamReader(pipe.Reader.AsStream()), observed.Add);
        Assert.False(await console.ReadToEndAsync(TimeSpan.FromMilliseconds(50)));
        Assert.Equal(["one", "two", "half"], observed);

        await pipe.Writer.CompleteAsync();
        GuestConsole ended = new(new StreamReader(pipe.Reader.AsStream()), observed.Add);
        Assert.True(await ended.ReadToEndAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void What_became_of_a_job_is_said_in_words()
    {
        const string End = "snapshot-machines: the job ended with exit code ";
        Assert.Null(Result(null, "hello", $"{End}0").Failure);
        Assert.Equal("the job ended with exit code 139", Result(null, $"{End}139").Failure);
        Assert.Equal("the guest ended before its job; last was 'panic'", Result(null, "panic").Failure);
        Assert.Equal(
            "the guest ended before its job; last was ''; the emulator said: terminating on signal 15",
            (Result(null) with { EmulatorSaid = "terminating on signal 15" }).Failure);
        Assert.Equal(
            "the job is stuck: it printed nothing for 60 s; last was 'start   Some.Test'",
            Result("start   Some.Test", "start   Some.Test", "Process 77: dotnet").Failure);
    }

    [Theory]
    [InlineData("heat", "--user", "--root")]
    [InlineData("powercut", "--filesystem", "ntfs")]
    [InlineData("heat", "--kills", "-1")]
    [InlineData("tests")]
    public void Misuse_is_told_before_anything_is_fetched(params string[] arguments)
    {
        ProgramResult result = Repository.Run(
            Repository.Root, Path.Combine(AppContext.BaseDirectory, "Snapshot.Machines"), arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("machines: ", result.Error, StringComparison.Ordinal);
    }

    private static GuestResult Result(string? stuckAfter, params string[] lines) =>
        new(lines, stuckAfter, TimeSpan.Zero, TimeSpan.FromSeconds(60));
}
