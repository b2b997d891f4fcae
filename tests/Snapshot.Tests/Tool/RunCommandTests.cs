using System.Text.Json;
using Snapshot.Tests.Session;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>run with small programs: exit codes, counting, what is said of the store.</summary>
public sealed class RunCommandTests : IDisposable
{
    private readonly TemporaryStore _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("exit 0", 0, 1, "done")]
    [InlineData("exit 7", 7, 3, "restartsUsedUp")]
    [InlineData("kill -KILL $$", 137, 3, "restartsUsedUp")]
    [InlineData("kill -SEGV $$", 139, 3, "restartsUsedUp")]
    [InlineData("kill -TERM $$", 143, 1, "notRestarted")]
    [InlineData("exit 130", 130, 1, "notRestarted")] // a shell may have been told to ignore SIGINT
    [InlineData("exec /nowhere/at/all", 127, 1, "notRestarted")]
    [InlineData("test $SNAPSHOT_RUN_ATTEMPT = 2", 0, 3, "done")]
    public async Task The_exit_code_is_that_of_the_last_process(
        string script, int exitCode, int attempts, string end)
    {
        JsonElement report = Report(await Run(["--restarts", "2"], script), exitCode);
        Assert.Equal(end, report.GetProperty("end").GetString());
        Assert.Equal(exitCode, report.GetProperty("exitCode").GetInt32());
        Assert.Equal(attempts, report.GetProperty("attempts").GetArrayLength());
        Assert.Equal(
            ["sh", "-c", script],
            report.GetProperty("program").EnumerateArray().Select(word => word.GetString()));
    }

    [Theory]
    [InlineData("exit 7", 7, 1)]
    [InlineData("kill -KILL $$", 137, 3)]
    public async Task With_only_signals_an_exit_code_is_the_last_word(
        string script, int exitCode, int attempts) =>
        Assert.Equal(
            attempts,
            Report(await Run(["--restarts", "2", "--only-signals"], script), exitCode)
                .GetProperty("attempts").GetArrayLength());

    [Fact]
    public async Task Each_process_is_told_which_attempt_it_is()
    {
        string told = _folder.File("told");
        Report(await Run(["--restarts", "2"], $"echo $SNAPSHOT_RUN_ATTEMPT >> {told}; exit 1"), 1);
        Assert.Equal("0\n1\n2\n", File.ReadAllText(told));
    }

    [Fact]
    public async Task A_program_that_is_not_there_or_not_executable_is_an_error_at_once()
    {
        string text = _folder.File("text");
        File.WriteAllText(text, "");
        foreach (string missing in new[] { "no-such-program", "./no-such-program", "" })
        {
            ToolRun run = await ToolRun.Here("run", "--restarts", "9", "--", missing);
            Assert.Contains(
                $"no program '{missing}'", run.FailsWith(ExitCode.NoProgram), StringComparison.Ordinal);
        }

        foreach (string wrong in new[] { text, _folder.File("..") })
            Assert.Contains(wrong, (await ToolRun.Here("run", "--", wrong)).FailsWith(ExitCode.NotExecutable),
                StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_behind_the_dashes_are_the_programs()
    {
        JsonElement report = Report(
            await ToolRun.Here("run", "--json", "--", "sh", "-c", "test $1 = --restarts", "sh", "--restarts"),
            0);
        Assert.Equal(5, report.GetProperty("program").GetArrayLength());
    }

    [Fact]
    public async Task What_happened_is_told_on_standard_error_and_reported_at_the_end()
    {
        ToolRun run =
            await ToolRun.Here("run", "--restarts", "1", "--backoff", "0", "--", "sh", "-c", "exit 7");
        Assert.Equal((7, ""), (run.ExitCode, run.Out));
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.Matches(
            "^snapshot: attempt 0 ended with exit code 7 after [0-9.]+ s; starting again in 0 s, restart 1 " +
            "of 1\\.$",
            lines[0]);
        Assert.Equal(
            2, lines.Count(line => line.Contains("ended with exit code 7  ", StringComparison.Ordinal)
            || line.TrimEnd().EndsWith("ended with exit code 7", StringComparison.Ordinal)));
        Assert.Equal("Given up after 1 restart: --restarts 1 are used up", lines[^1]);
    }

    [Fact]
    public async Task Without_a_new_generation_restarts_are_used_up_and_the_store_is_verified_before_each()
    {
        using StoreOnDisk store = new();
        JsonElement report = Report(await Run(["--restarts", "2", "--store", store.Path], "exit 1"), 1);
        JsonElement[] attempts = [.. report.GetProperty("attempts").EnumerateArray()];
        Assert.Equal(3, attempts.Length);
        Assert.All(attempts, attempt => Assert.Equal(3, attempt.GetProperty("generationAfter").GetInt64()));
        Assert.Equal(JsonValueKind.Null, attempts[0].GetProperty("store").ValueKind);
        Assert.All(attempts[1..], attempt =>
        {
            JsonElement found = attempt.GetProperty("store");
            Assert.Equal(3, found.GetProperty("intact").GetInt64());
            Assert.Equal(0, found.GetProperty("problems").GetArrayLength());
        });
    }

    [Fact]
    public async Task A_damaged_newest_generation_is_reported_with_the_older_one_that_is_intact()
    {
        using StoreOnDisk store = new();
        store.FlipByte(3, offset: 5000);
        string[] options = ["--restarts", "1", "--store", store.Path];
        ToolRun text = await ToolRun.Here(["run", "--backoff", "0", .. options, "--", "sh", "-c", "exit 1"]);
        Assert.Contains("generation 3 is damaged: 'snapshot verify' finds 1 problem, the first: ", text.Error,
            StringComparison.Ordinal);
        Assert.Contains("generation 2 is intact, for a program that allows older ones", text.Error,
            StringComparison.Ordinal);

        JsonElement found =
            Report(await Run(options, "exit 1"), 1).GetProperty("attempts")[1].GetProperty("store");
        Assert.Equal(3, found.GetProperty("newest").GetInt64());
        Assert.Equal(2, found.GetProperty("intact").GetInt64());
        JsonElement problem = Assert.Single(found.GetProperty("problems").EnumerateArray().ToArray());
        Assert.Equal("corrupt", problem.GetProperty("code").GetString());
        Assert.Equal(store.FileOf(3), problem.GetProperty("path").GetString());
    }

    [Fact]
    public async Task A_store_without_any_intact_generation_is_reported_as_that()
    {
        using StoreOnDisk store = new();
        store.FlipByte(1, offset: 5000);
        ToolRun run = await ToolRun.Here(
            "run", "--restarts", "1", "--backoff", "0", "--store", store.Path, "--", "sh", "-c", "exit 1");
        Assert.Contains("; no older one is intact; starting again", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_missing_holds_nothing_and_one_that_is_unreadable_says_why()
    {
        ToolRun missing = await ToolRun.Here(
            "run", "--restarts", "1", "--backoff", "0", "--store", _folder.Path, "--", "sh", "-c", "exit 1");
        Assert.Contains(
            "holds no generation, so it can only begin anew", missing.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Path));

        Directory.CreateDirectory(_folder.Path);
        File.WriteAllBytes(Path.Combine(_folder.Path, "manifest"), new byte[8192]);
        ToolRun damaged = await ToolRun.Here(
            "run", "--restarts", "1", "--backoff", "0", "--store", _folder.Path, "--", "sh", "-c", "exit 1");
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains("the store cannot be read: ", damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_makes_progress_may_die_more_often_than_there_are_restarts()
    {
        string[] program = [ToolRun.Dotnet, "exec", SupervisedRun.TestPrograms, "dying", _folder.Path, "5"];
        JsonElement report = Report(
            await ToolRun.Here(
                ["run", "--json", "--restarts", "1", "--backoff", "0", "--store", _folder.Path, "--",
                    .. program]),
            0);
        JsonElement[] attempts = [.. report.GetProperty("attempts").EnumerateArray()];
        Assert.Equal(
            [1, 2, 3, 4, 5], attempts.Select(attempt => attempt.GetProperty("generationAfter").GetInt64()));
        Assert.Equal(
            [null, 1, 2, 3, 4],
            attempts.Select(attempt => attempt.GetProperty("generationBefore")).Select(
                before => before.ValueKind == JsonValueKind.Null ? (long?)null : before.GetInt64()));
        Assert.All(
            attempts[..4], attempt => Assert.Equal("SIGKILL", attempt.GetProperty("signal").GetString()));
    }

    private static Task<ToolRun> Run(string[] options, string script) =>
        ToolRun.Here(["run", "--json", "--backoff", "0", .. options, "--", "sh", "-c", script]);

    /// <summary>The report of a run, which must be all that was said.</summary>
    private static JsonElement Report(ToolRun run, int exitCode)
    {
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}\n{run.Error}");
        Assert.Equal("", run.Out);
        return SupervisedRun.ReportOf(run.Error);
    }
}
