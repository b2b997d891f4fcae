using System.Globalization;
using Snapshot.Base;
using Xunit;

namespace Snapshot.Tests.Memory;

/// <summary>What the tests of arenas share.</summary>
internal static unsafe class ArenaTesting
{
    internal const long MiB = 1 << 20;

    internal static Arena Make(
        long capacity = 256 * MiB, bool huge = false, string name = "test", nint? at = null) =>
        Arena.Create(name, at, new ArenaOptions { Capacity = capacity, HugePages = huge });

    private static long s_fixedBases;

    /// <summary>
    /// A base that no other test uses, also after its arena is gone: far above where arenas are placed that
    /// ask for none.
    /// </summary>
    internal static nint FixedBase() =>
        (nint)(0x5400_0000_0000 + (Interlocked.Increment(ref s_fixedBases) << 32));

    /// <summary>
    /// Asserts that the call is refused as a wrong argument, in a message with these words.
    /// </summary>
    internal static void Refused(string words, Action call) =>
        Assert.Contains(words, Assert.ThrowsAny<ArgumentException>(call).Message, StringComparison.Ordinal);

    /// <summary>Asserts that the call finds the arena full.</summary>
    internal static void Full(Action call) =>
        Assert.Equal(SnapshotErrorCode.ArenaFull, Assert.Throws<SnapshotException>(call).Code);

    internal static byte[] Bytes(Arena arena) =>
        new Span<byte>((void*)arena.BaseAddress, checked((int)arena.CommittedBytes)).ToArray();

    internal static bool IsZero(void* start, long bytes) =>
        new Span<byte>(start, checked((int)bytes)).IndexOfAnyExcept((byte)0) < 0;

    internal static long PageOf(Arena arena, void* pointer) =>
        ((byte*)pointer - (byte*)arena.BaseAddress) >> Pages.Shift;

    internal static PageBitmap Dropped(Arena arena)
    {
        PageBitmap set = new(arena.Region.CapacityPages);
        arena.Region.MoveDroppedTo(set);
        return set;
    }

    internal static PageBitmap Free(Arena arena)
    {
        PageBitmap set = new(arena.Region.CapacityPages);
        using Lock.Scope scope = arena.LockTables();
        arena.MarkFree(set);
        return set;
    }

    internal static PageBitmap Excluded(Arena arena)
    {
        PageBitmap set = new(arena.Region.CapacityPages);
        using Lock.Scope scope = arena.LockTables();
        arena.MarkExcluded(set);
        return set;
    }

    /// <summary>
    /// A figure in KiB of all mappings that lie in the arena's range, from /proc/self/smaps.
    /// </summary>
    internal static long Smaps(Arena arena, string figure)
    {
        long sum = 0;
        bool inside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            int dash = line.IndexOf('-', StringComparison.Ordinal);
            if (dash > 0 &&
                ulong.TryParse(line.AsSpan(0, dash), NumberStyles.HexNumber, null, out ulong start))
                inside = start >= (ulong)arena.BaseAddress &&
                    start < (ulong)arena.BaseAddress + (ulong)arena.Capacity;
            else if (inside && line.StartsWith(figure + ":", StringComparison.Ordinal))
                sum += long.Parse(line.AsSpan(figure.Length + 1).Trim(" kB"), null);
        }

        return sum;
    }
}

/// <summary>A test that needs transparent huge pages to be had on request.</summary>
internal sealed class HugePagesFactAttribute : FactAttribute
{
    private const string Setting = "/sys/kernel/mm/transparent_hugepage/enabled";

    public HugePagesFactAttribute()
    {
        string setting = File.Exists(Setting) ? File.ReadAllText(Setting) : "absent";
        if (setting == "absent" || setting.Contains("[never]", StringComparison.Ordinal))
            Skip = $"no transparent huge pages: {Setting} is {setting.Trim()}";
    }
}
