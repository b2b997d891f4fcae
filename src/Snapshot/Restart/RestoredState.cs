using Snapshot.Coordination;
using Snapshot.Image;

namespace Snapshot.Restart;

/// <summary>What a restart hands to the session.</summary>
/// <param name="Memory">
/// The arenas, mapped, filled or to be filled, and the bytes of protected buffers.
/// </param>
/// <param name="Metadata">Participants and handlers of the image, among others.</param>
/// <param name="Head">The image whose state it is: the parent of the next increment.</param>
/// <param name="Threads">How many read what is still to come.</param>
/// <param name="Info">What the user is told.</param>
internal sealed record RestoredState(
    RestoredMemory Memory, ImageMetadata Metadata, ImageLink Head, int Threads, RestartInfo Info)
{
    /// <summary>What the coordinator needs of it.</summary>
    internal CoordinationState Coordination { get; } =
        new(Head.Generation, Metadata.Owners, Metadata.Participants, Metadata.AsyncHandlers);
}
