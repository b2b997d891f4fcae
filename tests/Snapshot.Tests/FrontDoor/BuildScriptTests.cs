using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>
/// build.ps1: what each task runs, and what is said when something lacks, the same in every shell.
/// </summary>
public sealed class BuildScriptTests
{
    private const string InstallHint = "sudo apt-get install gcc libc6-dev";

    /// <summary>
    /// The shells of this machine; the PowerShell half runs in the engine itself, so it is always among them.
    /// </summary>
    public static TheoryData<string> Halves => new(((string[])["PowerShell", "sh", "dash", "bash --posix"])
        .Where(half => half == "PowerShell" || BareMachine.FindOnPath(half.Split(' ')[0]) is not null));

    [Theory]
    [MemberData(nameof(Halves))]
    public void Each_task_is_one_dotnet_command(string half)
    {
        using BareMachine machine = new("dotnet", "cc");
        string[][] tasks = [["demo"], ["nbody"], ["native"], ["ranks"], ["test"], ["bench"],
            ["bench", "micro"], ["pack"]];
        Assert.All(tasks, task => Assert.Equal(0, machine.Build(half, task).ExitCode));
        string root = Repository.Root;
        Assert.Equal(
            [
                $"dotnet [run] [--project] [{root}/samples/HeatDiffusion] [-c] [Release] [--]",
                $"dotnet [run] [--project] [{root}/samples/NBody] [-c] [Release] [--]",
                $"dotnet [run] [--project] [{root}/samples/NativeSolvers] [-c] [Release] [--]",
                $"dotnet [run] [--project] [{root}/samples/HeatRanks] [-c] [Release] [--]",
                $"dotnet [test] [{root}/Snapshot.sln] [-c] [Release]",
                $"dotnet [run] [--project] [{root}/bench/Snapshot.Bench] [-c] [Release] [--]",
                $"dotnet [run] [--project] [{root}/bench/Snapshot.Microbench] [-c] [Release] [--]",
                $"dotnet [pack] [{root}/Snapshot.sln] [-c] [Release] [-o] [{root}/artifacts]",
            ],
            machine.Calls);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Arguments_arrive_as_they_were_typed(string half)
    {
        using BareMachine machine = new("dotnet", "cc");
        machine.Build(
            half, "demo", "--store", "/tmp/two words", "it's", "$HOME \"*\"", "", "-p:Name=value",
            "--size=12");
        Assert.EndsWith(
            "[--] [--store] [/tmp/two words] [it's] [$HOME \"*\"] [] [-p:Name=value] [--size=12]",
            Assert.Single(machine.Calls), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void The_exit_code_is_that_of_dotnet(string half)
    {
        using BareMachine machine = new("cc");
        machine.Add("dotnet", "exit 7");
        Assert.Equal(7, machine.Build(half, "test").ExitCode);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Usage_needs_nothing_and_an_unknown_task_is_an_error(string half)
    {
        using BareMachine machine = new();
        ProgramResult help = machine.Build(half, "help");
        Assert.Equal(0, help.ExitCode);
        Assert.StartsWith(
            "Usage: ./build.ps1 TASK [ARGUMENTS]\n\n  demo ", help.Output, StringComparison.Ordinal);
        Assert.Equal(help, machine.Build(half));
        ProgramResult unknown = machine.Build(half, "Test");
        Assert.Equal((2, ""), (unknown.ExitCode, unknown.Output));
        Assert.Equal("build.ps1: there is no task 'Test'.\n" + help.Output, unknown.Error);
        Assert.Equal(machine.Build("sh", "help"), help);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Without_dotnet_it_says_what_to_install(string half)
    {
        using BareMachine machine = new("cc");
        ProgramResult result = machine.Build(half, "test");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(".NET 10 SDK", result.Error, StringComparison.Ordinal);
        Assert.Equal(machine.Build("sh", "test"), result);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Root_gets_a_missing_compiler_installed(string half)
    {
        using BareMachine machine = new("dotnet", "apt-get");
        machine.Add("id", "echo 0");
        Assert.Equal(0, machine.Build(half, "test").ExitCode);
        Assert.Equal(
            ["id [-u]", "apt-get [update]", "apt-get [install] [-y] [gcc] [libc6-dev]", "dotnet [test]"],
            machine.Calls.Select(call => call.Split($" [{Repository.Root}")[0]));
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void A_user_who_needs_no_password_for_sudo_gets_it_installed(string half)
    {
        using BareMachine machine = new("dotnet", "apt-get", "sudo");
        machine.Add("id", "echo 1000");
        Assert.Equal(0, machine.Build(half, "demo").ExitCode);
        Assert.Equal(
            [
                "sudo [-n] [true]",
                "sudo [-n] [apt-get] [update]",
                "sudo [-n] [apt-get] [install] [-y] [gcc] [libc6-dev]",
            ],
            machine.Calls[1..^1]);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Another_user_is_told_what_to_run(string half)
    {
        using BareMachine machine = new("dotnet", "apt-get");
        machine.Add("id", "echo 1000");
        ProgramResult withoutSudo = machine.Build(half, "demo");
        machine.Add("sudo", "exit 1");
        ProgramResult withPassword = machine.Build(half, "demo");
        Assert.All([withoutSudo, withPassword], result => Assert.Equal(1, result.ExitCode));
        Assert.All(
            [withoutSudo, withPassword],
            result => Assert.Contains(InstallHint, result.Error, StringComparison.Ordinal));
        Assert.DoesNotContain(machine.Calls, call => call.StartsWith("dotnet", StringComparison.Ordinal));
        Assert.Equal(machine.Build("sh", "demo"), withPassword);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void A_failed_installation_ends_it(string half)
    {
        using BareMachine machine = new("dotnet");
        machine.Add("id", "echo 0");
        machine.Add("apt-get", "[ \"$1\" = update ]");
        ProgramResult result = machine.Build(half, "test");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("could not install", result.Error, StringComparison.Ordinal);
        Assert.StartsWith("apt-get [install]", machine.Calls[^1], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public void Where_there_is_no_apt_the_message_names_the_compiler(string half)
    {
        using BareMachine machine = new("dotnet");
        ProgramResult result = machine.Build(half, "test");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "The C compiler 'cc' is not on the PATH. Install one", result.Error, StringComparison.Ordinal);
        Assert.Equal(machine.Build("sh", "test"), result);
    }
}
