using System.Globalization;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// Copies of pages take native memory: its limits are what counts, each in a process of its own.
/// </summary>
public sealed class MemoryLimitTests : IDisposable
{
    private const long Megabytes = 192;

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineTheory]
    [InlineData(CaptureMode.PreCopy)]
    [InlineData(CaptureMode.Stage)]
    public void A_small_limit_of_the_managed_heap_does_not_limit_copies(CaptureMode mode)
    {
        // 64 MiB; half of that was the limit of copies.
        string[] lines = Run("export DOTNET_GCHeapHardLimit=0x4000000; exec \"$@\"", mode);
        Assert.True(LimitOf(lines) > Megabytes << 20, lines[0]);
    }

    [Fact]
    public void A_limit_of_address_space_leaves_room_for_what_is_reserved()
    {
        // Of 6 GB the runtime reserves some for itself.
        const string limited = "ulimit -v 6000000; export DOTNET_GCHeapHardLimit=0x8000000; exec \"$@\"";
        Assert.InRange(LimitOf(Run(limited, CaptureMode.Stage)), Megabytes << 20, 1500L * 1000 * 1024);
    }

    /// <summary>8 GB, and 4; with the runtime's own reservation bounded, and as it is.</summary>
    [Theory]
    [InlineData(8_000_000, "0x8000000")]
    [InlineData(8_000_000, "")]
    [InlineData(4_000_000, "0x8000000")]
    public void A_program_that_says_nothing_about_sizes_fits_a_limit_of_address_space(
        long kilobytes, string heapLimit)
    {
        string[] lines = RunLimited(kilobytes, heapLimit, "address-limit");
        Assert.Equal(
            ["found 0", "found 0", "found 0", "committed 1", "found 1", "found 1", "found 1", "committed 2"],
            lines.Where(line => line.StartsWith("found", StringComparison.Ordinal)
                || line.StartsWith("committed", StringComparison.Ordinal)));
        long[] capacities = [.. lines[1].Split(' ')[1..].Select(
            capacity => long.Parse(capacity, CultureInfo.InvariantCulture))];
        Assert.All(capacities, capacity => Assert.InRange(capacity, ArenaOptions.MinCapacity, kilobytes << 9));
        Assert.Equal(capacities.OrderDescending(), capacities);
        Assert.InRange(LimitOf(lines), 1 << 20, kilobytes << 8);

        string limit = $"That limit is {kilobytes << 10:N0} bytes, and ";
        Assert.StartsWith("failed SystemCall ", lines[^2], StringComparison.Ordinal);
        foreach (string part in new[] { "'too large'", "ArenaOptions.Capacity, or raise ulimit -v.", limit })
            Assert.Contains(part, lines[^2], StringComparison.Ordinal);
        Assert.StartsWith("failed SystemCall ", lines[^1], StringComparison.Ordinal);
        foreach (string part in new[] { "SnapshotTuning.StagingLimit lower, or raise ulimit -v.", limit })
            Assert.Contains(part, lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_arena_that_was_made_without_a_limit_is_refused_with_one_that_it_exceeds()
    {
        using (SnapshotSession session = SnapshotSession.Create(_store.Path))
        {
            Assert.Equal(64L << 30, session.OpenArena("a").Capacity);
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        string refused = Assert.Single(RunLimited(8_000_000, "0x8000000", "address-limit-restart"));
        foreach (string part in new[]
        {
            "failed SystemCall", "'a' needs 68,719,476,736 bytes", "Raise ulimit -v. That limit is 8,192,000,000",
        })
            Assert.Contains(part, refused, StringComparison.Ordinal);
    }

    [MemoryGroupFact]
    public void A_limit_of_the_control_group_limits_copies()
    {
        using MemoryGroup group = new(1L << 30);
        string[] lines = Run($"echo $$ > {group.Processes}; exec \"$@\"", CaptureMode.Stage);
        Assert.InRange(LimitOf(lines), 256L << 20, 512L << 20);
    }

    /// <summary>
    /// As with vm.overcommit_memory=2. Copies that writes wait for: src/Native/tests/freeze_test.c. Without a
    /// pagemap the first checkpoint copies all of the arena already, and has the memory for the second.
    /// </summary>
    [MachineFact]
    [Needs(Capability.Pagemap)]
    public void Where_the_kernel_commits_no_more_a_staged_checkpoint_fails_and_the_next_has_its_pages()
    {
        string[] lines = RunProgram("exec \"$@\"", "commit-limit");
        Assert.Equal(4, lines.Length);
        Assert.Equal("committed 1 by Stage", lines[0]);
        Assert.StartsWith(
            "failed StagingFull The copies of pages that changed in 'a' do not fit", lines[1],
            StringComparison.Ordinal);
        Assert.Contains("Check vm.overcommit_memory and ulimit -d", lines[1], StringComparison.Ordinal);
        Assert.Equal(["committed 2 by Stage", "sum 3 of each"], lines[2..]);
    }

    [MachineTheory]
    [InlineData(CaptureMode.Stage)]
    [InlineData(CaptureMode.CopyOnWrite)]
    public void No_limit_of_copies_may_be_asked_for(CaptureMode mode)
    {
        SnapshotOptions options =
            new() { Tuning = new SnapshotTuning { StagingLimit = long.MaxValue }, Capture = mode };
        using SnapshotSession session = SnapshotSession.Open(_store.Path, options);
        ArenaArray<long> cells =
            session.OpenArena("a", new ArenaOptions { Capacity = 64L << 20 }).RootArray<long>("cells", 4096);
        for (int turn = 1; turn <= 2; turn++)
        {
            cells.AsSpan().Fill(turn);
            SnapshotInfo info = session.RequestCheckpoint().WaitCommittedInThread();
            Assert.Equal((turn, mode), (info.Generation, info.Capture.Regions[0].Mode));
        }
    }

    private static long LimitOf(string[] lines) =>
        long.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);

    private string[] Run(string limited, CaptureMode mode)
    {
        string[] lines = RunProgram(limited, "limited-life", mode.ToString());
        Assert.Equal([$"committed 1 by {mode}", $"committed 2 by {mode}"], lines[1..]);
        return lines;
    }

    private string[] RunLimited(long kilobytes, string heapLimit, string name)
    {
        string heap = heapLimit.Length > 0 ? $"export DOTNET_GCHeapHardLimit={heapLimit}; " : "";
        return RunProgram($"ulimit -v {kilobytes}; {heap}exec \"$@\"", name);
    }

    private string[] RunProgram(string limited, string name, params IEnumerable<string> more)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProgramResult run = Repository.Run(
            AppContext.BaseDirectory, "bash",
            [
                "-c", limited, "bash", "dotnet", "exec", program, name,
                _store.Path, Megabytes.ToString(CultureInfo.InvariantCulture), .. more,
            ]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
