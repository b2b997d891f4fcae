using System.Diagnostics;
using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tool;

/// <summary>
/// Kills a program with stdio, its source unchanged, at random moments: its files are those of an
/// uninterrupted run.
/// </summary>
[Needs(Capability.NativeThreads, Programs = ["cc", "sh"])]
public sealed class ExecKillTests(ITestOutputHelper output) : IDisposable
{
    private const int Kills = 6;
    private const int KillsMin = 2;
    private const int Steps = 350;
    private const int StepsSupervised = 150;
    private const int LongSteps = 4000;
    private const int ExitCodeOfProgram = 5;
    private const int Seed = 20261130;

    /// <summary>After a process was seen to write.</summary>
    private const int LifeMs = 150;

    private readonly ExecWorkshop _workshop = new();
    private readonly Random _random = new(Seed);

    public void Dispose() => _workshop.Dispose();

    [MachineTheory]
    [InlineData(RestartFill.Eager)]
    [InlineData(RestartFill.Lazy)]
    public void Its_files_are_those_of_an_uninterrupted_run(RestartFill fill)
    {
        string steps = $"{(Soak.IsLong ? LongSteps : Steps)}", program = _workshop.Program("files");
        string expected = Folder("expected");
        ToolRun native = _workshop.Run(
            "\"$@\" > expected/out", [_workshop.Ordinary("files"), "expected", steps]);
        Assert.True(native.ExitCode == ExitCodeOfProgram, native.Error);

        long begun = Stopwatch.GetTimestamp();
        TimeSpan time = Soak.Time(0);
        int kills = 0, ends = 0;
        do
        {
            if (Directory.Exists(_workshop.Store)) Directory.Delete(_workshop.Store, recursive: true);
            string folder = Folder("run");
            kills += KillUntilItEnds(program, folder, steps, fill);
            ends++;
            AssertSame(expected, folder);
        }
        while (Stopwatch.GetElapsedTime(begun) < time);
        Assert.True(kills >= KillsMin * ends, $"only {kills} kills in {ends} runs");
        output.WriteLine($"{kills} kills, {ends} programs that came to their end");
    }

    [MachineFact]
    public void Supervised_it_goes_on_when_it_is_killed()
    {
        string program = _workshop.Program("files"), expected = Folder("expected"),
            steps = $"{StepsSupervised}";
        _workshop.Run("\"$@\" > expected/out", [_workshop.Ordinary("files"), "expected", steps]);
        string folder = Folder("run");
        string[] exec = _workshop.ExecWords("--every", "0.05", "--", program, folder, steps);
        using SupervisedRun run = new(
            [
                "--store", _workshop.Store, "--backoff", "0", "--restarts", "9", "--only-signals", "--json",
                "--", "sh", "-c", $"exec \"$@\" >> {folder}/out", "sh", .. exec,
            ]);
        WaitUntilItWrites(folder, () => true);
        Assert.True(run.KillProgram());
        ToolRun end = run.End();
        Assert.True(end.ExitCode == ExitCodeOfProgram, end.Error);
        Assert.Equal(2, SupervisedRun.ReportOf(end.Error).GetProperty("attempts").GetArrayLength());
        AssertSame(expected, folder);
    }

    /// <returns>How often it was killed.</returns>
    private int KillUntilItEnds(string program, string folder, string steps, RestartFill fill)
    {
        string[] words = _workshop.ExecWords("--every", "0.05", "--", program, folder, steps);
        for (int kills = 0; ; kills++)
        {
            using Process process = _workshop.Start(
                $"exec \"$@\" >> {folder}/out", words,
                start => start.Environment["SNAPSHOT_RESTART_FILL"] = fill.ToString());
            if (kills < Kills)
            {
                WaitUntilItWrites(folder, () => !process.HasExited);
                Thread.Sleep(_random.Next(LifeMs));
                ExecWorkshop.Kill(process);
            }

            ToolRun run = ExecWorkshop.End(process);
            if (run.ExitCode == 128 + 9) continue;
            Assert.True(run.ExitCode == ExitCodeOfProgram, $"seed {Seed}, kill {kills}: {run}");
            return kills;
        }
    }

    private static void WaitUntilItWrites(string folder, Func<bool> lives)
    {
        FileInfo log = new(Path.Combine(folder, "history"));
        DateTime before = log.LastWriteTimeUtc;
        for (long begun = Stopwatch.GetTimestamp();
            lives() && Stopwatch.GetElapsedTime(begun).TotalSeconds < 20; log.Refresh())
        {
            if (log.Exists && log.LastWriteTimeUtc > before) return;
            Thread.Sleep(5);
        }
    }

    private string Folder(string name)
    {
        string folder = _workshop.NewFolder(name);
        File.WriteAllText(Path.Combine(folder, "input"), string.Join('\n', Enumerable.Range(1, 300)));
        return folder;
    }

    private static void AssertSame(string expected, string found)
    {
        string[] names = [.. Directory.GetFiles(expected).Select(Path.GetFileName).Order()!];
        Assert.Equal(names, Directory.GetFiles(found).Select(Path.GetFileName).Order());
        Assert.All(names, name => Assert.True(
            File.ReadAllBytes(Path.Combine(expected, name))
                .AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(found, name))),
            $"seed {Seed}: {name} differs"));
    }
}
