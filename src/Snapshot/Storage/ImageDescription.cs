namespace Snapshot;

/// <summary>A region of an image and where its pages are.</summary>
/// <param name="Region">The region.</param>
/// <param name="ExtentCount">Runs of pages of one kind.</param>
/// <param name="PresentPages">Pages in this image.</param>
/// <param name="InParentPages">Pages in an older image.</param>
/// <param name="ZeroPages">Pages that read as zero.</param>
/// <param name="ExcludedPages">Pages that were not saved.</param>
public sealed record RegionStatistics(
    RegionDescription Region, int ExtentCount, long PresentPages, long InParentPages, long ZeroPages,
    long ExcludedPages);

/// <summary>How many blocks of an image are encoded in one way.</summary>
/// <param name="Encoding">"plain", "lz4" or "shuffle8+lz4" with the element size.</param>
/// <param name="BlockCount">Blocks.</param>
/// <param name="PageBytes">Bytes of their pages.</param>
/// <param name="StoredBytes">Bytes they take in the file, without padding.</param>
public sealed record EncodingStatistics(string Encoding, int BlockCount, long PageBytes, long StoredBytes);

/// <summary>What an image says about itself, for inspection.</summary>
/// <param name="Info">The generation.</param>
/// <param name="FormatVersion">The version of the format of the file, major and minor.</param>
/// <param name="ParentImageId">The id of the image it needs, or null.</param>
/// <param name="Regions">Arenas and protected buffers.</param>
/// <param name="Roots">Named objects.</param>
/// <param name="Participants">Participants and their sync handlers.</param>
/// <param name="AsyncHandlers">Async handlers.</param>
/// <param name="Environment">Where it was made, or null when it was not recorded.</param>
/// <param name="Figures">What the capture reported about itself.</param>
/// <param name="Encodings">How the blocks are encoded.</param>
/// <param name="Architecture">Of the process whose memory it is, for people: "arm64, little-endian".</param>
public sealed record ImageDescription(
    GenerationInfo Info,
    Version FormatVersion,
    Guid? ParentImageId,
    IReadOnlyList<RegionStatistics> Regions,
    IReadOnlyList<RootDescription> Roots,
    IReadOnlyList<ParticipantDescription> Participants,
    IReadOnlyList<HandlerDescription> AsyncHandlers,
    EnvironmentDescription? Environment,
    IReadOnlyList<KeyValuePair<string, string>> Figures,
    IReadOnlyList<EncodingStatistics> Encodings,
    string Architecture);
