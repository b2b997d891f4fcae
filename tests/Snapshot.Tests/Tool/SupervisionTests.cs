using System.Diagnostics;
using System.Text.Json;
using HeatDiffusion;
using KillDemo;
using Snapshot.Tests.HeatDiffusion;
using Snapshot.Tests.Session;
using Snapshot.Tool.Supervision;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>run as a process: killed programs, signals, and the end of the supervisor itself.</summary>
public sealed class SupervisionTests : IDisposable
{
    private const int ExitCodeOfTarget = 5;
    private const int GenerationsMax = 2;
    private const int EventsMax = 8;

    private readonly TemporaryStore _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_program_killed_at_random_comes_to_the_result_of_an_uninterrupted_run()
    {
        const int seed = 11, killsMin = 1, kills = 6, size = 256, steps = 16_000;
        Random random = new(seed);
        string directory = _folder.File("heat"), store = Path.Combine(directory, "store");
        string heat = Path.Combine(AppContext.BaseDirectory, "HeatDiffusion");
        using SupervisedRun run = new(
            "--store", store, "--restarts", "6", "--backoff", "0", "--json", "--", heat, "run", "--json",
            "--size", $"{size}", "--steps", $"{steps}", "--threads", "3", "--every-steps", "20", "--store",
            directory);

        // Each process lives for so many generations, the first for one, and then for so many events of any
        // kind.
        int killed = 0, generations = 1, events = random.Next(EventsMax);
        RunEvent.Finished? finished = null;
        while (run.ReadLine() is { } line)
        {
            // The last line of a killed process may be cut.
            RunEvent? happened = line.StartsWith('{') && line.EndsWith('}') ? RunEvent.FromLine(line) : null;
            finished = happened as RunEvent.Finished;
            if (generations > 0 && happened is RunEvent.Committed) generations--;
            bool lives = killed == kills || finished is not null || generations > 0 || events-- > 0;
            if (lives || !run.KillProgram()) continue;
            killed++;
            (generations, events) = (random.Next(GenerationsMax), random.Next(EventsMax));
        }

        ToolRun end = run.End();
        string message = $"Seed {seed}, exit code {end.ExitCode}:\n{end.Error}";
        Assert.True(end.ExitCode == 0 && finished is not null, message);
        Assert.Equal(PlainHeat.ChecksumOf(HeatOptions.ShippedInput, size, steps), finished.Checksum);
        JsonElement[] attempts = [.. SupervisedRun.ReportOf(end.Error).GetProperty("attempts")
            .EnumerateArray()];

        // A slow disk leaves time for few generations.
        Assert.True(killed >= killsMin && attempts.Length == killed + 1, message);
        Assert.All(attempts[..killed], attempt =>
            Assert.Equal("SIGKILL", attempt.GetProperty("signal").GetString()));
        Assert.NotEqual(JsonValueKind.Null, attempts[^1].GetProperty("generationBefore").ValueKind);
        Assert.All(attempts[1..], attempt => Assert.Empty(
            attempt.GetProperty("store").GetProperty("problems").EnumerateArray()));
    }

    [Theory]
    [InlineData(ProcessSignal.Interrupt, "SIGINT")]
    [InlineData(ProcessSignal.Terminate, "SIGTERM")]
    public void A_signal_that_ends_supervision_is_passed_on_and_the_program_ends_by_itself(
        int signal, string name)
    {
        using SupervisedRun run = new(["--json", "--", .. SupervisedRun.SignalTarget]);
        run.Expect("ready");
        run.Signal(signal);
        run.Expect(name);
        if (signal == ProcessSignal.Interrupt) run.Signal(ProcessSignal.Terminate);
        ToolRun end = run.End();
        Assert.Equal(ExitCodeOfTarget, end.ExitCode);
        JsonElement report = SupervisedRun.ReportOf(end.Error);
        Assert.Equal("stopped", report.GetProperty("end").GetString());
        Assert.Equal(1, report.GetProperty("attempts").GetArrayLength());
    }

    [Fact]
    public void The_signals_of_batch_systems_are_passed_on_and_supervision_goes_on()
    {
        using SupervisedRun run = new(["--json", "--backoff", "0", "--", .. SupervisedRun.SignalTarget]);
        run.Expect("ready");
        run.Signal(ProcessSignal.User1);
        run.Expect("SIGUSR1");
        run.Signal(ProcessSignal.User2);
        run.Expect("SIGUSR2");
        Assert.True(run.KillProgram());
        run.Expect("ready");
        run.Signal(ProcessSignal.Terminate);
        run.Expect("SIGTERM");
        Assert.Equal(2, SupervisedRun.ReportOf(run.End().Error).GetProperty("attempts").GetArrayLength());
    }

    [Fact]
    public void A_program_asked_to_end_after_its_supervisor_is_not_started_again()
    {
        using SupervisedRun run = new(["--json", "--backoff", "0", "--", .. SupervisedRun.SignalTarget]);
        run.Expect("ready");
        run.Signal(ProcessSignal.Interrupt);
        run.Expect("SIGINT");
        Assert.True(run.KillProgram());
        ToolRun end = run.End();
        Assert.Equal((137, ""), (end.ExitCode, end.Out));
        Assert.Equal("stopped", SupervisedRun.ReportOf(end.Error).GetProperty("end").GetString());
    }

    [Fact]
    public void A_signal_during_a_wait_ends_it()
    {
        using SupervisedRun run = new("--backoff", "600", "--backoff-max", "600", "--", "sh", "-c", "exit 1");
        Assert.Contains("starting again in 10 min 00 s", run.ReadErrorLine(), StringComparison.Ordinal);
        run.Signal(ProcessSignal.Terminate);
        ToolRun end = run.End();
        Assert.Equal(143, end.ExitCode);
        Assert.EndsWith("Stopped by a signal after 0 restarts\n", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_program_has_the_input_and_the_output_to_itself()
    {
        using SupervisedRun run = new("--restarts", "0", "--", "sh", "-c", "cat; echo failed >&2; exit 9");
        run.Input.Write("line\n");
        run.Input.Close();
        ToolRun end = run.End();
        Assert.Equal((9, "line\n"), (end.ExitCode, end.Out));
        Assert.StartsWith("failed\n", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_whose_supervisor_is_killed_is_asked_to_end()
    {
        using SupervisedRun run = new(["--", .. SupervisedRun.SignalTarget]);
        run.Expect("ready");
        run.Kill();
        run.Expect("SIGTERM");

        // The kernel gives the child of a dying thread to one that still lives, and then may signal it again.
        while (run.ReadLine() is { } line) Assert.Equal("SIGTERM", line);
    }

    [Fact]
    public void Ctrl_C_reaches_the_program_once()
    {
        // A shell that stays beside the program would get the signal too, and some then end by it.
        string command = string.Join(
            ' ', ["exec", .. SupervisedRun.Command, "--json", "--", .. SupervisedRun.SignalTarget]);
        using Process terminal = Process.Start(new ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        List<string> lines = [];
        Read("ready");
        Type("\x03");
        Read("SIGINT");
        Type("end\n");
        lines.AddRange(terminal.StandardOutput.ReadToEnd().Split('\n'));
        terminal.WaitForExit();
        string all = string.Join('\n', lines);
        Assert.True(terminal.ExitCode == 0, all);
        Assert.Equal(1, lines.Count(line => line.Contains("SIGINT", StringComparison.Ordinal)));
        Assert.Contains("\"end\":\"stopped\"", all, StringComparison.Ordinal);

        void Read(string expected)
        {
            while (terminal.StandardOutput.ReadLine() is { } line)
            {
                lines.Add(line);
                if (line.Contains(expected, StringComparison.Ordinal)) return;
            }

            Assert.Fail($"no {expected} in:\n{string.Join('\n', lines)}");
        }

        void Type(string keys)
        {
            terminal.StandardInput.Write(keys);
            terminal.StandardInput.Flush();
        }
    }
}
