using Snapshot.Image;

namespace Snapshot.Restart;

/// <summary>What a restart hands to the session.</summary>
/// <param name="Memory">The arenas, mapped and filled, and the bytes of protected buffers.</param>
/// <param name="Metadata">Participants and handlers of the image, among others.</param>
/// <param name="Head">The image whose state it is: the parent of the next increment.</param>
/// <param name="Info">What the user is told.</param>
internal sealed record RestoredState(RestoredMemory Memory, ImageMetadata Metadata, ImageLink Head, RestartInfo Info);
