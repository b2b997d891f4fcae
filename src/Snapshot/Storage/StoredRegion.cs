using Snapshot.Base;
using Snapshot.Image;

namespace Snapshot.Inspection;

/// <summary>
/// The memory of one region as a generation has it, read without a session: nothing is mapped, and the
/// process that reads may be another program on another machine.
/// </summary>
/// <remarks>
/// One thread at a time. It has the images that it needs open: pruning and compacting them meanwhile does not
/// disturb it.
/// </remarks>
public sealed class StoredRegion : IDisposable
{
    private readonly ChainPages _chain;
    private readonly ChainRegion _region;
    private bool _disposed;

    /// <param name="generation">Whose memory it is.</param>
    /// <param name="chain">The pages of its image and all ancestors; owned from here on.</param>
    /// <param name="region">Where its pages are in them.</param>
    internal StoredRegion(long generation, ChainPages chain, ChainRegion region)
    {
        Generation = generation;
        _chain = chain;
        _region = region;
    }

    /// <summary>Whose memory it is.</summary>
    public long Generation { get; }

    /// <summary>Its name, kind, address and size.</summary>
    public RegionDescription Description => _region.Description;

    /// <summary>Its size in bytes.</summary>
    public long Length => Description.ByteLength;

    /// <summary>
    /// Reads bytes as they were captured. Excluded memory, and what was never written, is zero.
    /// </summary>
    /// <param name="offset">Of the first byte, from the beginning of the region.</param>
    /// <param name="destination">Is filled; its content has no meaning after an exception.</param>
    /// <exception cref="ArgumentOutOfRangeException">The region has no such bytes.</exception>
    /// <exception cref="SnapshotException">Corrupt, StoreIo; it names the file and the place.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        if (destination.IsEmpty) return;

        destination.Clear();
        long first = offset >> Pages.Shift;
        PageRange pages = new(first, Pages.Holding(offset + destination.Length) - first);
        foreach (ChainRun run in _region.Within(pages))
        {
            if (run.Kind == ExtentKind.Present) CopyRun(run, offset, destination);
        }
    }

    /// <summary>Closes the images.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _chain.Dispose();
    }

    /// <summary>Copies what a run of present pages has of the bytes from the offset on.</summary>
    private void CopyRun(in ChainRun run, long offset, Span<byte> destination)
    {
        RunReader reader = _chain.Read(run);
        while (reader.Next())
        {
            long at = Pages.Bytes(reader.Page);
            long from = Math.Max(at, offset);
            long to = Math.Min(at + reader.Content.Length, offset + destination.Length);
            reader.Content[(int)(from - at)..(int)(to - at)].CopyTo(destination[(int)(from - offset)..]);
        }
    }
}
