using System.Collections.Concurrent;
using System.Globalization;
using Snapshot.Tests.HeatDiffusion;

namespace Snapshot.Tests.Faults;

/// <summary>
/// Kills programs that have a store open: at a random moment, or before, after or in the middle of a random
/// call. What is killed goes on in the next process, which checks what it finds; a process without the rig
/// checks each store at the end of its time.
/// </summary>
/// <param name="folder">Where stores are made.</param>
/// <param name="native">Runs native threads.</param>
/// <param name="random">Chooses.</param>
/// <param name="kills">Counts kills by program; shared.</param>
/// <param name="findings">What must not be; shared.</param>
internal sealed class KillRun(
    string folder, KilledNativeThreads? native, Random random, ConcurrentDictionary<string, int> kills,
    ConcurrentQueue<string> findings)
{
    private const int ProcessesOfStore = 20;
    private const int ProcessesMost = 40;
    private const int HeatSize = 64;
    private const int HeatSteps = 600;
    private const int Finished = 0;
    private const int Busy = 4;

    // About as many calls of files as each of the programs makes.
    private const int LifeCalls = 900;
    private const int FiberCalls = 400;
    private const int HeatCalls = 600;
    private const int ToolCalls = 120;

    private static readonly string s_heatChecksum = PlainHeat.ChecksumOf(
        global::HeatDiffusion.HeatOptions.ShippedInput, HeatSize, HeatSteps);

    /// <summary>One kind of program after another.</summary>
    /// <param name="turn">Which.</param>
    internal void Kill(int turn)
    {
        switch (turn % 4)
        {
            case 0: KillLives(); break;
            case 1: KillFibers(); break;
            case 2: KillHeat(); break;
            default: KillNative(); break;
        }
    }

    /// <summary>
    /// A store is made, and written by processes that are killed, with tools between and beside them.
    /// </summary>
    private void KillLives()
    {
        string root = NewFolder();
        string store = Path.Combine(root, "life", "store"), acknowledged =
            Path.Combine(root, "acknowledged-life");
        Directory.CreateDirectory(Path.Combine(root, "life"));
        for (int turn = 0; turn < ProcessesOfStore; turn++)
        {
            using RigProcess life = StartKilled(
                "Snapshot.TestPrograms.dll", LifeCalls, out bool isAtCall, "life", "run", store,
                acknowledged);
            if (random.Next(4) == 0) KillTool(store);
            End("life", life, isAtCall, Finished);
            if (random.Next(3) == 0) KillTool(store);
            if (random.Next(6) == 0) KillRecovery(store);
        }

        Check(root);
        Directory.Delete(root, recursive: true);
    }

    private void KillFibers()
    {
        string seed = random.Next(1000).ToString(CultureInfo.InvariantCulture);
        KillToTheEnd(
            "fibers", FiberCalls, ["Snapshot.FiberProgram.dll", "run"],
            ["--steps", "60", "--interval", "4", "--seed", seed], static _ => true);
    }

    private void KillHeat()
    {
        string[] fibers = random.Next(2) == 0 ? ["--fibers"] : [];
        KillToTheEnd(
            "heat", HeatCalls, ["HeatDiffusion.dll", "run", "--store"],
            [
                "--json", "--size", $"{HeatSize}", "--steps", $"{HeatSteps}", "--every-steps", "20",
                "--threads", "3",
                .. fibers,
            ],
            lines => lines.Exists(line => line.Contains(s_heatChecksum, StringComparison.Ordinal)));
    }

    private void KillNative()
    {
        if (native is null) return;
        KillToTheEnd(
            "native", FiberCalls, ["Snapshot.TestPrograms.dll", "native"], native.Arguments, native.IsRight);
    }

    /// <summary>A program is killed until it comes to its end, and to the right results.</summary>
    private void KillToTheEnd(
        string what, int calls, string[] program, string[] arguments, Func<List<string>, bool> isRight)
    {
        string root = NewFolder();
        string[] all = [.. program[1..], Path.Combine(root, "store"), .. arguments];
        for (int turn = 0; turn < ProcessesMost; turn++)
        {
            using RigProcess process = StartKilled(program[0], calls, out bool isAtCall, all);
            if (End(what, process, isAtCall, Finished) is not { } lines) continue;
            if (!isRight(lines))
                findings.Enqueue($"{what} is wrong: {string.Join(" | ", lines.TakeLast(8))}");
            break;
        }

        Directory.Delete(root, recursive: true);
    }

    /// <summary>
    /// The manifest is lost, and a new one is made from the images by processes that are killed.
    /// </summary>
    private void KillRecovery(string store)
    {
        if (!Directory.Exists(store) || !Directory.EnumerateFiles(store, "*.snapshot").Any()) return;
        File.Delete(Path.Combine(store, "manifest"));
        for (int turn = 0; turn < ProcessesMost; turn++)
        {
            using RigProcess tool =
                StartKilled("Snapshot.Tool.dll", ToolCalls, out bool isAtCall, "recover", store);
            if (End("recover", tool, isAtCall, Finished) is not null) break;
        }
    }

    private void KillTool(string store)
    {
        if (!Directory.Exists(store)) return;
        string[][] commands = [["compact", store], ["prune", store, "--keep-last", "2"], ["verify", store]];
        string[] command = commands[random.Next(commands.Length)];
        using RigProcess tool = StartKilled("Snapshot.Tool.dll", ToolCalls, out bool isAtCall, command);
        const int NothingThere = 3;
        End(command[0], tool, isAtCall, Finished, Busy, NothingThere);
    }

    private RigProcess StartKilled(string program, int calls, out bool isAtCall, params string[] arguments)
    {
        isAtCall = random.Next(3) != 0;
        if (!isAtCall) return RigProcess.Start(program, rig: false, [], arguments);
        string[] actions = ["kill", "kill-after", "tear"];
        string action = actions[random.Next(actions.Length)];
        string kind = action == "tear" ? "write" : "any";
        int nth = random.Next(1, kind == "write" ? Math.Max(calls / 30, 3) : calls);
        (string, string)[] fault = [
            ("RIG_PATH", folder), ("RIG_CALL", kind), ("RIG_ACTION", action),
            ("RIG_NTH", nth.ToString(CultureInfo.InvariantCulture))];
        return RigProcess.Start(program, rig: true, fault, arguments);
    }

    /// <summary>
    /// Waits until the process was killed or has ended; what it wrote when it ended as it may.
    /// </summary>
    private List<string>? End(string what, RigProcess process, bool isAtCall, params int[] fine)
    {
        List<string> lines = [];
        try
        {
            // At a random moment: so many lines on, and a little more.
            for (int left = isAtCall ? int.MaxValue : random.Next(12); left > 0; left--)
            {
                if (process.ReadLine() is not { } line) break;
                lines.Add(line);
            }

            if (!isAtCall)
            {
                Thread.Sleep(random.Next(60));
                process.Kill();
            }

            (int exitCode, List<string> rest) = process.ReadToEnd();
            lines.AddRange(rest);
            if (exitCode == RigProcess.Killed)
            {
                kills.AddOrUpdate(what, 1, (_, count) => count + 1);
                return null;
            }

            if (fine.Contains(exitCode)) return lines;
            string text = string.Join(" | ", lines.TakeLast(8));
            findings.Enqueue($"{what} ended with {exitCode}: {text} {process.Error}");
        }
        catch (TimeoutException)
        {
            findings.Enqueue($"{what} hangs after: {string.Join(" | ", lines.TakeLast(8))}");
        }

        return null;
    }

    private void Check(string root)
    {
        using RigProcess check = RigProcess.StartLife(rig: false, [], "check", root);
        (int exitCode, List<string> lines) = check.ReadToEnd();
        foreach (string line in lines.Where(line => line.StartsWith("finding", StringComparison.Ordinal)))
            findings.Enqueue(line);
        if (exitCode != Finished) findings.Enqueue($"the check ended with {exitCode}: {check.Error}");
    }

    private string NewFolder() =>
        Directory.CreateDirectory(
            Path.Combine(folder, random.NextInt64().ToString("x", CultureInfo.InvariantCulture)))
            .FullName;
}
