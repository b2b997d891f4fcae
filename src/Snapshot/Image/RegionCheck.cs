using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>
/// What a region that is read may be. A restart maps it where it says and as large as it says, so whatever no
/// library can have written is told here, where the file and the offset are known, and not by what fails
/// later.
/// </summary>
internal sealed class RegionCheck
{
    private readonly HashSet<string> _names = [];
    private readonly List<RegionDescription> _arenas = [];
    private long _bufferBytes;

    /// <summary>
    /// What is impossible about the next region of an image, or null. Its sizes are below 2^60.
    /// </summary>
    internal string? FaultOf(RegionDescription region)
    {
        string? fault = region.Kind switch
        {
            RegionKind.Arena => FaultOfArena(region),
            RegionKind.Buffer => FaultOfBuffer(region),
            _ => $"is of kind {(int)region.Kind}, which there is not",
        };
        if (fault is null && !_names.Add(region.Name)) fault = $"has the name '{region.Name}' of another";
        return fault;
    }

    /// <summary>Two arenas that lie in the same place, as a sentence, or null.</summary>
    internal string? FindOverlap()
    {
        _arenas.Sort(static (left, right) => left.BaseAddress.CompareTo(right.BaseAddress));
        for (int i = 1; i < _arenas.Count; i++)
        {
            RegionDescription below = _arenas[i - 1];
            if (below.BaseAddress + (ulong)below.CapacityBytes > _arenas[i].BaseAddress)
                return $"regions {below.Id} and {_arenas[i].Id} lie in the same place";
        }

        return null;
    }

    private string? FaultOfArena(RegionDescription arena)
    {
        if (!RegionLimits.IsArenaName(arena.Name)) return "has a name that no arena can have";
        bool isSize = arena.CapacityBytes is >= RegionLimits.ArenaBytesMin and <= RegionLimits.ArenaBytesMax
            && arena.CapacityBytes % Pages.HugeSize == 0;
        if (!isSize)
        {
            return $"has a capacity of {arena.CapacityBytes} bytes; an arena has " +
                $"{RegionLimits.ArenaBytesMin} to {RegionLimits.ArenaBytesMax}, in steps of {Pages.HugeSize}";
        }

        bool isPlace = arena.BaseAddress % Pages.HugeSize == 0 &&
            arena.BaseAddress >= RegionLimits.ArenasBegin
            && arena.BaseAddress <= RegionLimits.ArenasEnd - (ulong)arena.CapacityBytes;
        if (!isPlace) return $"is at 0x{arena.BaseAddress:x}, where no arena of its capacity can be";
        if (arena.CommittedPages > arena.CapacityBytes >> Pages.Shift)
            return $"has {arena.CommittedPages} committed pages, more than its capacity";
        if (arena.ByteLength != Pages.Bytes(arena.CommittedPages))
            return "has another length than committed pages";
        _arenas.Add(arena);
        return null;
    }

    private string? FaultOfBuffer(RegionDescription buffer)
    {
        if (buffer.ByteLength > RegionLimits.BufferBytesMax - _bufferBytes)
            return $"makes the buffers larger than {RegionLimits.BufferBytesMax} bytes";
        _bufferBytes += buffer.ByteLength;
        if (Pages.Holding(buffer.ByteLength) != buffer.CommittedPages)
            return "has another length than committed pages";
        return buffer.CapacityBytes == buffer.ByteLength ? null : "has another capacity than length";
    }
}
