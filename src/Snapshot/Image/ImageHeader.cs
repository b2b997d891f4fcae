using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>Names an image by the state it holds.</summary>
internal readonly record struct ImageLink(Guid ImageId, long Generation);

/// <summary>
/// Which image this is. Ids and time come from the caller, so that equal input makes equal files.
/// </summary>
/// <param name="ImageId">Names the state of the memory; kept by compaction.</param>
/// <param name="Generation">At least 1.</param>
/// <param name="Parent">The image that in-parent extents refer to, or null for a full image.</param>
/// <param name="Created">The moment of the capture; stored in microseconds.</param>
internal sealed record ImageHeader(Guid ImageId, long Generation, ImageLink? Parent, DateTimeOffset Created)
{
    /// <summary>Of the process whose memory it is; kept by compaction.</summary>
    internal MachineArchitecture Architecture { get; init; } = MachineArchitecture.Here;

    /// <summary>What the program calls the generation, or null; kept by compaction.</summary>
    internal string? Tag { get; init; }

    internal GenerationKind Kind => Parent is null ? GenerationKind.Full : GenerationKind.Incremental;

    /// <summary>
    /// A random id: a UUID of version 4. Its bits come from the kernel; the runtime's random numbers for
    /// cryptography would need OpenSSL, without which they end the process.
    /// </summary>
    internal static Guid NewImageId() => Guid.NewGuid();
}
