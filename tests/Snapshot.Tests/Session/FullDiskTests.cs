using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Session;

/// <summary>A disk with room for two images and some: checkpoints go on, or say what would help.</summary>
public sealed partial class FullDiskTests(ITestOutputHelper output)
{
    private const int StatePages = 1536;
    private const long StateBytes = StatePages * 4096L;

    private static readonly StoreOptions s_keepOne =
        new() { Retention = new RetentionPolicy { KeepLast = 1 } };

    [SmallDiskTheory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    [InlineData(0.2)]
    [InlineData(0.02)]
    public async Task With_one_generation_kept_checkpoints_go_on_where_two_images_fit(double share)
    {
        using SmallDisk disk = new(RoomFor(2.2));
        using ChangingState state = new(disk.Path, s_keepOne, StatePages, seed: 1);
        for (int checkpoint = 1; checkpoint <= 30; checkpoint++)
        {
            state.Commit();
            state.Rewrite(share);
        }

        await state.AssertHolds(atLeast: 1);
    }

    [SmallDiskTheory]
    [InlineData(0.3)]
    [InlineData(0.05)]
    public async Task With_two_generations_kept_they_go_on_where_the_increments_allow_it(double share)
    {
        using SmallDisk disk = new(RoomFor(2.7));
        using ChangingState state = new(disk.Path, new StoreOptions(), StatePages, seed: 2);
        for (int checkpoint = 1; checkpoint <= 30; checkpoint++)
        {
            state.Commit();
            state.Rewrite(share);
        }

        await state.AssertHolds(atLeast: 2);
    }

    [SmallDiskFact]
    public async Task What_the_message_asks_for_is_enough()
    {
        using SmallDisk disk = new(RoomFor(2.7));
        using ChangingState state = new(disk.Path, new StoreOptions(), StatePages, seed: 3);
        SnapshotException error = state.FillUp();
        output.WriteLine(error.Message);
        await state.AssertHolds(atLeast: 2);
        long missing = BytesIn(FreeMore(), error.Message);
        Assert.InRange(missing, 0.25 * StateBytes, 0.4 * StateBytes);
        disk.Enlarge(missing);
        for (int checkpoint = 1; checkpoint <= 10; checkpoint++)
        {
            state.Commit();
            state.Rewrite(1);
        }

        await state.AssertHolds(atLeast: 2);
    }

    [SmallDiskFact]
    public async Task Keeping_fewer_generations_frees_what_the_message_says()
    {
        using SmallDisk disk = new(RoomFor(2.7));
        using ChangingState state = new(disk.Path, new StoreOptions(), StatePages, seed: 4);
        long promised = BytesIn(FreedByOne(), state.FillUp().Message);
        long before = disk.FreeBytes;
        await state.Store.PruneAsync(s_keepOne.Retention);
        Assert.Equal(promised, disk.FreeBytes - before);
        state.Commit();
        await state.AssertHolds(atLeast: 2);
    }

    [SmallDiskFact]
    public async Task On_a_disk_that_others_fill_images_are_merged_where_that_makes_room()
    {
        StoreOptions options = new()
        {
            Retention = new RetentionPolicy { KeepLast = 2 },
            MaxStateMultiple = 100,
        };
        using SmallDisk disk = new(RoomFor(4));
        using ChangingState state = new(disk.Path, options, StatePages, seed: 5);
        state.Commit();
        for (int checkpoint = 1; checkpoint <= 10; checkpoint++)
        {
            state.Rewrite(0.1, isFirst: true);
            Assert.NotNull(state.Commit().Parent);
        }

        // Room for a tenth of the state and a half: neither for a full image nor for what comes next.
        await File.WriteAllBytesAsync(
            disk.File("others"), new byte[disk.FreeBytes - (long)(0.15 * StateBytes)]);
        state.Rewrite(0.3);
        Assert.NotNull(state.Commit().Parent);
        Assert.True(state.Store.Generations.Count <= 5, string.Join(", ", state.Store.Generations));
        await state.AssertHolds(atLeast: 2);
    }

    private static long RoomFor(double images) => (long)(images * 1.01 * StateBytes) + (600 << 10);

    private static long BytesIn(Regex pattern, string message)
    {
        Match match = pattern.Match(message);
        Assert.True(match.Success, message);
        return long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"free [\d.]+ \w+ \((\d+) bytes\) more")]
    private static partial Regex FreeMore();

    [GeneratedRegex(@"KeepLast = 1 would free [\d.]+ \w+ \((\d+) bytes\)")]
    private static partial Regex FreedByOne();
}
