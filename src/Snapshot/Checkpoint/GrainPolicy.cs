using Snapshot.Tracking;

namespace Snapshot.Checkpoint;

/// <summary>Sets for each block how much a write opens, by what the last increments had of it.</summary>
/// <remarks>
/// Two increments in a row must agree before a block is opened in parts, since a huge page that was split for it does
/// not come back. And only few blocks are: each part of one is protected again by a call of its own inside the pause.
/// An arena of which many blocks are sparse is not for copy-on-write at all (<see cref="CapturePolicy"/>).
/// </remarks>
internal sealed class GrainPolicy(FreezingTracker tracker)
{
    /// <summary>Pages that an increment has of a block at most, for it to be opened by 16 pages, or by one.</summary>
    private const int FewForSixteen = 32;

    /// <inheritdoc cref="FewForSixteen"/>
    private const int FewForPage = 4;

    internal const int FineBlocksMax = 8;

    private readonly Dictionary<long, CaptureGrain> _proposed = [];
    private readonly HashSet<long> _fine = [];

    /// <summary>An increment was written.</summary>
    /// <param name="block">A block that was opened.</param>
    /// <param name="changed">How many of its pages changed.</param>
    /// <param name="pinned">A grain asked for, or Auto.</param>
    internal void Observe(long block, int changed, CaptureGrain pinned)
    {
        CaptureGrain now = tracker.GrainOf(block);
        if (pinned != CaptureGrain.Auto)
        {
            if (now != pinned) tracker.SetGrain(block, pinned);
            return;
        }

        CaptureGrain fits = changed <= FewForPage ? CaptureGrain.Page
            : changed <= FewForSixteen ? CaptureGrain.SixteenPages
            : CaptureGrain.Block;
        _proposed.Remove(block, out CaptureGrain before);
        if (fits == now) return;
        if (fits == CaptureGrain.Block) _fine.Remove(block);
        else if (before != fits) _proposed.Add(block, fits);
        if (fits == CaptureGrain.Block || (before == fits && HasRoom(block))) tracker.SetGrain(block, fits);
    }

    private bool HasRoom(long block) => _fine.Contains(block) || (_fine.Count < FineBlocksMax && _fine.Add(block));
}
