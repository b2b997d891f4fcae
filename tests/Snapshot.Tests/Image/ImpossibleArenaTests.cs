using Snapshot.Fuzz.Forging;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// Images whose index can be, and the memory in them cannot: a restart refuses it, unmaps all of it, and gets
/// past it.
/// </summary>
public sealed class ImpossibleArenaTests
{
    private const ulong FreePlace = 0x3000_0000_0000;

    private static readonly Dictionary<string, Action<ImageParts>> s_rows = new()
    {
        ["no mark"] = Arena(arena => arena[0]++),
        ["another version"] = Arena(arena => arena.At(8)[0] = 9),
        ["another base"] = Arena(arena => arena[16] += 2 << 20),
        ["another capacity"] = Arena(arena => arena[24] *= 2),
        ["other committed pages"] = Arena(arena => arena[32]++),
        ["chunks beyond the capacity"] = Arena(arena => arena[40] = 1UL << 60),
        ["page tables in the header"] = Arena(arena => arena[ForgedArena.Directory] = 0),
        ["page tables off a page"] = Arena(arena => arena[ForgedArena.Directory] += 8),
        ["page tables beyond the arena"] = Arena(arena => arena[ForgedArena.Directory] = 1UL << 40),
        ["page tables where they are not"] = Arena(arena => arena[ForgedArena.Directory] += 4096),
        ["a free list that leads anywhere"] = Arena(arena => arena[256] = ulong.MaxValue),
        ["a slab list that leads anywhere"] = Arena(arena => arena[1024] = ulong.MaxValue),
        ["a root in the tables"] = Arena(arena => arena[ForgedArena.FirstRootField] = 4096),
        ["a root beyond the arena"] = Arena(arena => arena[ForgedArena.FirstRootField] = 1UL << 50),
        ["a number of roots"] = Arena(arena => arena[ForgedArena.RootCountField]++),
        ["a list of roots that does not end"] = Arena(arena =>
        {
            arena[arena.FirstRoot] = (ulong)arena.FirstRoot;
            arena[ForgedArena.RootCountField] = 1UL << 60;
        }),
        ["a root whose data is in the header"] = Arena(arena => arena[arena.FirstRoot + 8] = 64),
        ["a root whose data is beyond its allocation"] = Arena(arena => arena[arena.FirstRoot + 16] = 1000),
        ["a root of 2^60 elements"] = Arena(arena => arena[arena.FirstRoot + 16] = 1UL << 60),
        ["a root with a name of 2 GiB"] = Arena(arena => arena.At(arena.FirstRoot + 32)[3] = 0x7F),
        ["a root with a type beyond its allocation"] =
            Arena(arena => arena.At(arena.FirstRoot + 37)[0] = 0xFF),
        ["a block that does not decode"] = parts => parts.Section("BLKS")[8 + 22] = 1,
        ["fewer pages than tables"] = AddArena(pages: 1, capacity: 64UL << 20),
        ["a terabyte of zeros"] = AddArena(pages: 1UL << 28, capacity: 4UL << 40),
    };

    public static TheoryData<string, RestartFill> Rows
    {
        get
        {
            TheoryData<string, RestartFill> rows = [];
            foreach (string row in s_rows.Keys)
            {
                rows.Add(row, RestartFill.Eager);
                rows.Add(row, RestartFill.Lazy);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Impossible_memory_is_damage_and_a_restart_gets_past_it(string row, RestartFill fill)
    {
        using ForgedStore forged = new(s_rows[row]);
        int mappings = CountOfArenas();
        long before = Environment.WorkingSet;
        forged.AssertRestartGetsPast(fill);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 256 << 20);
        Assert.Equal(mappings, CountOfArenas());
    }

    private static int CountOfArenas() =>
        File.ReadLines("/proc/self/maps").Count(
            line => line.Contains("[anon:snapshot:", StringComparison.Ordinal));

    private static Action<ImageParts> Arena(Action<ForgedArena> change) =>
        parts => change(new ForgedArena(parts));

    /// <summary>Adds an arena that is all zero.</summary>
    private static Action<ImageParts> AddArena(
        ulong pages, ulong capacity) => parts => parts.ChangeRegions(regions =>
    {
        regions.Add(regions[0] with
        {
            Id = 100,
            Name = "zeros",
            Base = FreePlace,
            CommittedPages = pages,
            Length = pages << 12,
            Capacity = capacity,
            ExtentCount = 1,
        });
        parts.ChangeExtents(extents => extents.Add(ImpossibleContent.Zero(pages)));
    });
}
