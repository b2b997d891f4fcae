using System.Globalization;
using Snapshot.TestPrograms.Life;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Faults;

/// <summary>
/// Checkpoints, compaction, pruning, verification, a second opener, restarts on demand and an arena that
/// grows, all at once, with faults below .NET in between.
/// </summary>
/// <remarks>
/// Longer: <c>SNAPSHOT_SOAK_SECONDS=1800 dotnet test tests/Snapshot.Tests --filter TogetherTests</c>, with
/// <c>--logger "console;verbosity=detailed"</c> to see the counts.
/// </remarks>
public sealed class TogetherTests(ITestOutputHelper output)
{
    private const int FaultsOfSecond = 200;

    private static readonly (string Kind, int Calls)[] s_kinds =
    [
        ("open", 30), ("close", 30), ("read", 60), ("write", 8), ("sync", 12), ("rename", 4), ("unlink", 4),
        ("truncate", 4), ("stat", 40), ("opendir", 1), ("readdir", 6), ("mmap", 6), ("madvise", 4),
        ("ioctl", 40),
    ];

    /// <summary>
    /// The C library makes a heap for each thread, up to eight a processor, and it takes hours until each has
    /// had its largest. What leaks is seen in one.
    /// </summary>
    private static readonly (string, string)[] s_oneHeap = [("MALLOC_ARENA_MAX", "1")];

    [Fact]
    public async Task Two_things_at_once_with_faults_in_between_lose_nothing_and_leave_nothing_behind()
    {
        double seconds = Soak.Time(8).TotalSeconds;
        using MemoryFolder folder = new();
        Directory.CreateDirectory(folder.At("life"));
        string store = Path.Combine(folder.At("life"), "store"), acknowledged =
            folder.At("acknowledged-life");
        int seed = FaultSeed.Value;
        using RigProcess process = RigProcess.StartLife(
            rig: true, s_oneHeap, "together", store, acknowledged,
            seconds.ToString(CultureInfo.InvariantCulture),
            seed.ToString(CultureInfo.InvariantCulture));
        Task giving = Task.Run(() => process.Give(Faults(seed, (int)(seconds * FaultsOfSecond))));
        (int exitCode, List<string> lines) = process.ReadToEnd();
        foreach (string line in lines.Where(IsSaid)) output.WriteLine(line);
        Assert.True(exitCode == 0, string.Join('\n', lines.TakeLast(30)) + process.Error);
        Assert.DoesNotContain(lines, line => line.Contains(" 0 faults hit", StringComparison.Ordinal));
        using RigProcess check = RigProcess.StartLife(rig: false, [], "check", folder.Path);
        (int checkCode, List<string> found) = check.ReadToEnd();
        Assert.True(checkCode == 0 && !found.Exists(IsSaid), string.Join('\n', found) + check.Error);
        await giving;
    }

    private static bool IsSaid(string line) =>
        line.StartsWith("summary", StringComparison.Ordinal) ||
        line.StartsWith("finding", StringComparison.Ordinal);

    /// <summary>One line after another; a third are only late or short.</summary>
    private static IEnumerable<string> Faults(int seed, int count)
    {
        Random random = new(seed);
        for (int index = 0; index < count; index++)
        {
            (string kind, int calls) = s_kinds[random.Next(s_kinds.Length)];
            int[] errnos = Fault.ErrnosOf(kind);
            bool isMemory = kind is "mmap" or "madvise" or "ioctl";
            RigAction action = random.Next(6) switch
            {
                0 => RigAction.Delay,
                1 when kind is "read" or "write" => RigAction.Short,
                _ => RigAction.Fail,
            };
            int value = action == RigAction.Delay ? random.Next(20_000)
                : isMemory ? Errno.Memory : errnos[random.Next(errnos.Length)];
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{kind} {random.Next(1, calls + 1)} {(int)action} {value}");
        }
    }
}
