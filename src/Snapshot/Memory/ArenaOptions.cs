using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot;

/// <summary>How an arena is made.</summary>
/// <remarks>A session has at most <see cref="SnapshotSession.MaxArenas"/> of them.</remarks>
public sealed class ArenaOptions
{
    /// <summary>
    /// The least capacity: room for the arena's own tables (about half a megabyte) and for something to put
    /// in it.
    /// </summary>
    public const long MinCapacity = RegionLimits.ArenaBytesMin;

    /// <summary>
    /// The greatest capacity, 4 TiB: page numbers fit 32 bits, the directory of page tables stays at 2 MiB,
    /// and a dozen such arenas fit the part of the address space that arenas use.
    /// </summary>
    public const long MaxCapacity = RegionLimits.ArenaBytesMax;

    /// <summary>
    /// Where addresses are limited: what the threads of a checkpoint take of them, and the arena's tables.
    /// </summary>
    private const long LeftToOthers = 768L << 20;

    /// <summary>
    /// Bytes of address space that are reserved, rounded up to 2 MiB; what the arena can ever hold.
    /// </summary>
    /// <value>
    /// 64 GiB by default, and where the address space of the process is limited (<c>ulimit -v</c>) at most
    /// half of what is left of it beyond 768 MiB when the arena is made; in a session with an <see
    /// cref="AddressWindow"/> at most half of what is left of that. A reservation costs no memory, so be
    /// generous: an arena cannot grow beyond it, also not after a restart. Asking for more than an arena has
    /// that exists is an error (LayoutMismatch); for less is not, and it keeps what it has.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">
    /// Less than <see cref="MinCapacity"/> or more than <see cref="MaxCapacity"/>.
    /// </exception>
    public long Capacity
    {
        get;
        init
        {
            field = Pages.AlignUp(OptionValue.InRange(value, MinCapacity, MaxCapacity), Pages.HugeSize);
            AsksForCapacity = true;
        }
    } = 64L << 30;

    /// <summary>Whether a capacity was given, and not only the default taken.</summary>
    internal bool AsksForCapacity { get; private init; }

    /// <summary>The same with a capacity for which there is room, unless one was given.</summary>
    /// <param name="limit">What limits the addresses of the process, or null.</param>
    /// <param name="window">Where the arena will lie, or null.</param>
    internal ArenaOptions FitTo(AddressSpaceLimit? limit, AddressWindow? window = null)
    {
        if (AsksForCapacity || (limit is null && window is null)) return this;
        long left = limit is { } addresses ? addresses.Left - LeftToOthers : long.MaxValue;
        if (window is { } own)
            left = Math.Min(left, TakenPlaces.MostFree(own.Begin, own.End, AddressSpace.Gap));
        return new ArenaOptions
        {
            Capacity = Math.Clamp((left / 2) & -Pages.HugeSize, MinCapacity, Capacity),
            HugePages = HugePages,
            Capture = Capture,
        };
    }

    /// <summary>Whether the kernel is asked for huge pages (2 MiB).</summary>
    /// <value>
    /// True by default: a first touch costs a quarter per byte, protecting memory before a checkpoint a
    /// hundredth. Turn it off for arenas of sparsely used memory, where a touched byte would make 2 MiB
    /// resident. Where the kernel has transparent huge pages switched off the request has no effect.
    /// </value>
    public bool HugePages { get; init; } = true;

    /// <summary>How the arena is captured; this is not in the image.</summary>
    /// <value>Default <see cref="CaptureMode.Auto"/>: as <see cref="SnapshotOptions.Capture"/> says.</value>
    public CaptureMode Capture { get; init => field = OptionValue.Defined(value); } = CaptureMode.Auto;
}
