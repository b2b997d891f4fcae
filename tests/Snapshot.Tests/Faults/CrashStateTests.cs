using System.Diagnostics;
using System.Globalization;
using Snapshot.TestPrograms.Life;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Faults;

/// <summary>
/// The power fails after any call of a store's life, recorded below .NET: whatever of the un-synced is lost,
/// torn, reordered or noise, each state opens and has what was acknowledged.
/// </summary>
/// <remarks>
/// More of them: <c>SNAPSHOT_SOAK_SECONDS=1800 dotnet test tests/Snapshot.Tests --filter CrashStateTests</c>,
/// with <c>--logger "console;verbosity=detailed"</c> to see the counts.
/// </remarks>
public sealed class CrashStateTests(ITestOutputHelper output)
{
    private const int FindingsMax = 20;

    private const int GoingOnEach = 16;
    private const int DrawsOfContent = 100;
    private const int DrawsOfNames = 10;

    private readonly HashSet<UInt128> _seen = [];
    private readonly List<string> _findings = [];
    private readonly int[] _states = new int[Enum.GetValues<CrashStyle>().Length];

    [Fact]
    public void Each_state_a_power_cut_may_leave_has_what_was_acknowledged()
    {
        TimeSpan time = Soak.Time(0);
        Stopwatch watch = Stopwatch.StartNew();
        using MemoryFolder folder = new();
        using StateChecker checker = new(folder.Path);
        int round = 0;
        do
        {
            // After the first a sync fails in each, another one each time: what it covered is in limbo.
            int seed = FaultSeed.Value + round;
            List<Call> calls = Record(failedSync: round == 0 ? 0 : seed * 7 % 40 + 3, out string root);
            Build(calls, root, seed, folder.At("state"), checker, () =>
                time > TimeSpan.Zero && watch.Elapsed >= time);
            round++;
        }
        while (watch.Elapsed < time && _findings.Count < FindingsMax);

        string styles = string.Join(
            ", ", Enum.GetValues<CrashStyle>().Select(style => $"{style} {_states[(int)style]}"));
        output.WriteLine(
            $"{_states.Sum()} different states of {round} recordings, seed {FaultSeed.Value}: {styles}; " +
            $"{checker.Restored} generations restored; {watch.Elapsed.TotalSeconds:F0} s");
        Assert.True(_states.All(count => count > 0), "a style made no state");
        Assert.True(_findings.Count == 0, string.Join('\n', _findings));
    }

    /// <summary>One life, recorded; its store is thrown away.</summary>
    private static List<Call> Record(int failedSync, out string root)
    {
        using MemoryFolder folder = new();
        root = folder.At("life");
        Directory.CreateDirectory(root);
        string number = failedSync.ToString(CultureInfo.InvariantCulture);
        (string, string)[] fault = failedSync == 0
            ? []
            : [("RIG_CALL", "sync"), ("RIG_NTH", number), ("RIG_VALUE", "5")];
        using RigProcess process = RigProcess.StartLife(
            rig: true, fault, "record", Path.Combine(root, "store"), folder.At("acknowledged"),
            folder.At("recording"));
        (int exitCode, List<string> lines) = process.ReadToEnd();
        Assert.True(exitCode == 0, string.Join('\n', lines) + process.Error);
        return Call.Read(folder.At("recording"));
    }

    private void Build(
        List<Call> calls, string root, int seed, string place, StateChecker checker, Func<bool> isOver)
    {
        CrashDisk disk = new(root);
        SortedDictionary<long, long> acknowledged = [];
        Random random = new(seed);
        for (int index = 0; index < calls.Count && !isOver(); index++)
        {
            Call call = calls[index];
            if (call.Kind == CallKind.Mark) Acknowledge(call, acknowledged);
            else disk.Make(call);
            if (!call.IsChange && call.Kind != CallKind.Mark) continue;
            // Where content is on its way there are many states, else few.
            int draws = disk.HasPendingContent ? DrawsOfContent : DrawsOfNames;
            for (int draw = 0; draw < draws; draw++)
            {
                CrashStyle style = (CrashStyle)(draw % _states.Length);
                CrashState state = disk.AfterCrash(style, random);
                if (!_seen.Add(state.Hash(acknowledged.Count))) continue;
                state.WriteTo(place);
                _states[(int)style]++;
                List<string> findings = checker.Check(
                    Path.Combine(place, "store"), acknowledged, goesOn: _states.Sum() % GoingOnEach == 0);
                string where = $"seed {seed}, after call {index}, {call.Kind} {call.Path}, {style}";
                _findings.AddRange(findings.Select(finding => $"{where}: {finding}"));
                Directory.Delete(place, recursive: true);
                if (_findings.Count >= FindingsMax) return;
            }
        }
    }

    private static void Acknowledge(Call mark, SortedDictionary<long, long> acknowledged)
    {
        string[] words = System.Text.Encoding.UTF8.GetString(mark.Data).Split(' ');
        acknowledged[long.Parse(words[1], CultureInfo.InvariantCulture)] =
            long.Parse(words[2], CultureInfo.InvariantCulture);
    }
}
