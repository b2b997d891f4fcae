using System.Collections.Concurrent;
using System.Globalization;

namespace Snapshot.Tests.Faults;

/// <summary>
/// Kills programs that have a store open: at a random moment, or before, after or in the middle of a random call. What
/// is killed goes on in the next process, which checks what it finds; a process without the rig checks each store at
/// the end of its time.
/// </summary>
/// <param name="folder">Where stores are made.</param>
/// <param name="random">Chooses.</param>
/// <param name="kills">Counts kills by program; shared.</param>
/// <param name="findings">What must not be; shared.</param>
internal sealed class KillRun(
    string folder, Random random, ConcurrentDictionary<string, int> kills, ConcurrentQueue<string> findings)
{
    private const int ProcessesOfStore = 20;
    private const int FiberProcessesMost = 40;
    private const int Finished = 0;
    private const int Busy = 4;

    // About as many calls of files as each of the programs makes.
    private const int LifeCalls = 900;
    private const int FiberCalls = 400;
    private const int ToolCalls = 120;

    /// <summary>
    /// A store is made, and written by processes that are killed, with tools between and beside them.
    /// </summary>
    internal void KillLives()
    {
        string root = NewFolder();
        string store = Path.Combine(root, "life", "store"), acknowledged = Path.Combine(root, "acknowledged-life");
        Directory.CreateDirectory(Path.Combine(root, "life"));
        for (int turn = 0; turn < ProcessesOfStore; turn++)
        {
            using RigProcess life = StartKilled(
                "Snapshot.TestPrograms.dll", LifeCalls, out bool isAtCall, "life", "run", store, acknowledged);
            if (random.Next(4) == 0) KillTool(store);
            End("life", life, isAtCall, Finished);
            if (random.Next(3) == 0) KillTool(store);
        }

        Check(root);
        Directory.Delete(root, recursive: true);
    }

    /// <summary>Fibers are killed until they come to their end, and to the right results.</summary>
    internal void KillFibers()
    {
        string root = NewFolder();
        string seed = random.Next(1000).ToString(CultureInfo.InvariantCulture);
        string[] arguments = ["run", Path.Combine(root, "store"), "--steps", "60", "--interval", "4", "--seed", seed];
        for (int turn = 0; turn < FiberProcessesMost; turn++)
        {
            using RigProcess fibers = StartKilled(
                "Snapshot.FiberProgram.dll", FiberCalls, out bool isAtCall, arguments);
            if (!End("fibers", fibers, isAtCall, Finished)) break;
        }

        Directory.Delete(root, recursive: true);
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

    /// <summary>Waits until the process was killed or has ended; whether it was killed.</summary>
    private bool End(string what, RigProcess process, bool isAtCall, params int[] fine)
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
                return true;
            }

            if (!fine.Contains(exitCode))
            {
                string text = string.Join(" | ", lines.TakeLast(8));
                findings.Enqueue($"{what} ended with {exitCode}: {text} {process.Error}");
            }
        }
        catch (TimeoutException)
        {
            findings.Enqueue($"{what} hangs after: {string.Join(" | ", lines.TakeLast(8))}");
        }

        return false;
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
        Directory.CreateDirectory(Path.Combine(folder, random.NextInt64().ToString("x", CultureInfo.InvariantCulture)))
            .FullName;
}
