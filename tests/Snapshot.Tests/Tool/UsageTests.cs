using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Snapshot.Tool;
using Snapshot.Tool.Output;
using Xunit;

namespace Snapshot.Tests.Tool;

public sealed class UsageTests
{
    [Theory]
    [InlineData("lsit /tmp", "did you mean 'list'?")]
    [InlineData("list /tmp --jsn", "did you mean '--json'?")]
    [InlineData("prune /tmp --keep-lst 3", "did you mean '--keep-last'?")]
    [InlineData("prune /tmp --kep-every 3", "did you mean '--keep-every'?")]
    [InlineData("list --jsn", "has no option '--jsn'; did you mean '--json'?")]
    [InlineData("list --jsn /tmp", "has no option '--jsn'; did you mean '--json'?")]
    [InlineData("show /tmp --jsn", "has no option '--jsn'; did you mean '--json'?")]
    [InlineData("stacks -v", "has no option '-v'.")]
    [InlineData("list /tmp --colour", "has no option '--colour'.")]
    [InlineData("list /tmp extra", "has no argument 'extra'")]
    [InlineData("", "needs a command")]
    [InlineData("list", "needs STORE: The directory of the store.")]
    [InlineData("stacks", "needs PID")]
    [InlineData("show /tmp abc", "'abc' is not a generation")]
    [InlineData("show /tmp 0", "'0' is not a generation")]
    [InlineData("show /tmp -3", "'-3'")]
    [InlineData("prune /tmp", "--keep-last")]
    [InlineData("prune /tmp --keep-last 0", "from 1 upward")]
    [InlineData("prune /tmp --keep-last", "--keep-last")]
    [InlineData("prune /tmp --keep-last 2 --keep-every 2 --max-age 7y", "'7y' is not an age")]
    [InlineData("prune /tmp --keep-last 2 --max-age 7d", "give --keep-every, too")]
    [InlineData("stacks abc", "'abc' is not a process")]
    [InlineData("stacks self", "'self' is not a process")]
    [InlineData("run", "needs PROGRAM: After '--'")]
    [InlineData("run --", "needs PROGRAM: After '--'")]
    [InlineData("run true", "write 'snapshot run [options] -- true …'")]
    [InlineData("run --restart 3 -- true", "did you mean '--restarts'?")]
    [InlineData("run --only-signal -- true", "did you mean '--only-signals'?")]
    [InlineData("run --colour -- true", "has no option '--colour'.")]
    [InlineData(
        "run --restarts many -- true", "'many' is not a value for --restarts; give a number from 0 upward.")]
    [InlineData("run --restarts -1 -- true", "'-1'")]
    [InlineData("run --backoff 1m -- true", "'1m' is not a value for --backoff; give seconds")]
    [InlineData("run --backoff-max 86401 -- true", "from 0 to 86400")]
    [InlineData("run --store -- true", "--store")]
    [InlineData("exec", "needs STORE: The directory of the store.")]
    [InlineData("exec /tmp", "needs PROGRAM: After '--'")]
    [InlineData("exec -- ./heat 100", "needs STORE: The directory of the store.")]
    [InlineData("exec /tmp ./heat", "'./heat' stands before '--'")]
    [InlineData("exec /tmp --evry 3 -- true", "did you mean '--every'?")]
    [InlineData("exec --stak 3 /tmp -- true", "did you mean '--stack'?")]
    [InlineData("exec /tmp --every 1m -- true", "'1m' is not a value for --every; give seconds")]
    [InlineData("exec /tmp --stack 0 -- true", "from 1 upward")]
    public async Task A_wrong_command_line_is_refused_with_a_hint(string line, string hint)
    {
        ToolRun run = await ToolRun.Here(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string error = run.FailsWith(ExitCode.Usage);
        Assert.Contains(hint, error, StringComparison.Ordinal);
        Assert.Contains("--help'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_path_is_refused_with_a_hint() => Assert.Contains(
        "'' is not a directory", (await ToolRun.Here("list", "")).FailsWith(ExitCode.Usage),
        StringComparison.Ordinal);

    [Fact]
    public async Task An_empty_path_of_an_option_is_refused_with_a_hint() => Assert.Contains(
        "'' is not a directory",
        (await ToolRun.Here("run", "--store", "", "--", "true")).FailsWith(ExitCode.Usage),
        StringComparison.Ordinal);

    [Fact]
    public async Task A_process_cannot_inspect_itself() => (await ToolRun.Here(
        "stacks", Environment.ProcessId.ToString(CultureInfo.InvariantCulture))).FailsWith(ExitCode.Usage);

    [Fact]
    public async Task Every_command_has_help_with_the_exit_codes_and_all_but_exec_and_mpi_take_json()
    {
        RootCommand root =
            SnapshotTool.CreateRoot(new ToolConsole(TextWriter.Null, TextWriter.Null, false, false));
        foreach (string command in root.Subcommands.Select(command => command.Name))
        {
            ToolRun help = await ToolRun.Here(command, "--help");
            Assert.Equal((ExitCode.Fine, ""), (help.ExitCode, help.Error));
            Assert.Equal(
                command is not ("exec" or "mpi"), help.Out.Contains("--json", StringComparison.Ordinal));
            foreach ((int code, string meaning) in ExitCode.All)
            {
                Assert.Equal(
                    code is not (ExitCode.NotExecutable or ExitCode.NoProgram) || command is "run" or "exec",
                    help.Out.Contains($"  {code,-3}  {meaning}", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void The_process_returns_the_exit_codes()
    {
        Assert.Equal(ExitCode.Usage, ToolRun.Process(null, "lsit").ExitCode);
        Assert.Equal(ExitCode.Environment, ToolRun.Process(null, "list", "/nowhere/at/all").ExitCode);
        ToolRun doctor = ToolRun.Process(null, "doctor", "--json");
        Assert.Equal(ExitCode.Fine, doctor.ExitCode);
        Assert.True(doctor.Json().GetProperty("canRun").GetBoolean());
    }

    [Fact]
    public async Task Doctor_reports_every_finding()
    {
        JsonElement report = (await ToolRun.Here("doctor", "--json")).Json();
        Assert.Equal(
            MachineCapabilities.Current.Items.Select(item => item.Name),
            report.GetProperty("findings").EnumerateArray().Select(
                item => item.GetProperty("name").GetString()));
        ToolRun text = await ToolRun.Here("doctor");
        Assert.Equal((ExitCode.Fine, ""), (text.ExitCode, text.Error));
        foreach (MachineCapability item in MachineCapabilities.Current.Items)
            Assert.Contains(item.Name, text.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(4096, "4.00 KiB")]
    [InlineData(10239, "10.0 KiB")]
    [InlineData(1048576, "1.00 MiB")]
    [InlineData(1073741824, "1.00 GiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    public void Sizes_have_three_digits_and_a_binary_unit(long bytes, string text) =>
        Assert.Equal(text, Readable.Bytes(bytes));

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.256, "0.26 s")]
    [InlineData(1, "1 s")]
    [InlineData(12.34, "12.3 s")]
    [InlineData(59.96, "60 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(7380, "2 h 03 min")]
    [InlineData(360000, "100 h 00 min")]
    public void Times_have_three_digits_or_two_units(double seconds, string text) =>
        Assert.Equal(text, Readable.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void The_documentation_lists_the_exit_codes_and_the_commands()
    {
        string text = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "TOOL.md"));
        foreach ((int code, string meaning) in ExitCode.All)
            Assert.Contains($"| {code} | {meaning} |", text, StringComparison.Ordinal);
        RootCommand root =
            SnapshotTool.CreateRoot(new ToolConsole(TextWriter.Null, TextWriter.Null, false, false));
        foreach (Command command in root.Subcommands)
            Assert.Contains($"`snapshot {command.Name}", text, StringComparison.Ordinal);
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Snapshot.sln")))
            folder = folder.Parent;
        return folder?.FullName
            ?? throw new InvalidOperationException("the tests do not run inside the repository");
    }
}
