namespace Snapshot.Inspection;

/// <summary>A region of an image and where its pages are.</summary>
public sealed class RegionStatistics
{
    internal RegionStatistics(
        RegionDescription region, int extentCount, long presentPages, long inParentPages, long zeroPages,
        long excludedPages)
    {
        Region = region;
        ExtentCount = extentCount;
        PresentPages = presentPages;
        InParentPages = inParentPages;
        ZeroPages = zeroPages;
        ExcludedPages = excludedPages;
    }

    /// <summary>The region.</summary>
    public RegionDescription Region { get; }

    /// <summary>Runs of pages of one kind.</summary>
    public int ExtentCount { get; }

    /// <summary>Pages in this image.</summary>
    public long PresentPages { get; }

    /// <summary>Pages in an older image.</summary>
    public long InParentPages { get; }

    /// <summary>Pages that read as zero.</summary>
    public long ZeroPages { get; }

    /// <summary>Pages that were not saved.</summary>
    public long ExcludedPages { get; }
}

/// <summary>How many blocks of an image are encoded in one way.</summary>
public sealed class EncodingStatistics
{
    internal EncodingStatistics(string encoding, int blockCount, long pageBytes, long storedBytes)
    {
        Encoding = encoding;
        BlockCount = blockCount;
        PageBytes = pageBytes;
        StoredBytes = storedBytes;
    }

    /// <summary>"plain", "lz4" or "shuffle8+lz4" with the element size.</summary>
    public string Encoding { get; }

    /// <summary>Blocks.</summary>
    public int BlockCount { get; }

    /// <summary>Bytes of their pages.</summary>
    public long PageBytes { get; }

    /// <summary>Bytes they take in the file, without padding.</summary>
    public long StoredBytes { get; }
}

/// <summary>What an image says about itself, for inspection.</summary>
public sealed class ImageDescription
{
    internal ImageDescription(
        GenerationInfo info, Version formatVersion, Guid? parentImageId,
        IReadOnlyList<RegionStatistics> regions,
        IReadOnlyList<RootDescription> roots, IReadOnlyList<ParticipantDescription> participants,
        IReadOnlyList<string> asyncHandlers, EnvironmentDescription? environment,
        IReadOnlyList<KeyValuePair<string, string>> figures, IReadOnlyList<EncodingStatistics> encodings,
        string architecture)
    {
        Info = info;
        FormatVersion = formatVersion;
        ParentImageId = parentImageId;
        Regions = regions;
        Roots = roots;
        Participants = participants;
        AsyncHandlers = asyncHandlers;
        Environment = environment;
        Figures = figures;
        Encodings = encodings;
        Architecture = architecture;
    }

    /// <summary>The generation.</summary>
    public GenerationInfo Info { get; }

    /// <summary>The version of the format of the file, major and minor.</summary>
    public Version FormatVersion { get; }

    /// <summary>The id of the image it needs, or null.</summary>
    public Guid? ParentImageId { get; }

    /// <summary>Arenas and protected buffers.</summary>
    public IReadOnlyList<RegionStatistics> Regions { get; }

    /// <summary>Named objects.</summary>
    public IReadOnlyList<RootDescription> Roots { get; }

    /// <summary>Participants and their sync handlers.</summary>
    public IReadOnlyList<ParticipantDescription> Participants { get; }

    /// <summary>Async handlers.</summary>
    public IReadOnlyList<string> AsyncHandlers { get; }

    /// <summary>Where it was made, or null when it was not recorded.</summary>
    public EnvironmentDescription? Environment { get; }

    /// <summary>What the capture reported about itself.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Figures { get; }

    /// <summary>How the blocks are encoded.</summary>
    public IReadOnlyList<EncodingStatistics> Encodings { get; }

    /// <summary>Of the process whose memory it is, for people: "arm64, little-endian".</summary>
    public string Architecture { get; }
}
