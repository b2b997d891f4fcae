namespace Snapshot.Storage;

/// <summary>What a recovery made of an image.</summary>
internal enum RecoveryOutcome
{
    /// <summary>It was listed before and still is.</summary>
    Kept,

    /// <summary>It was not listed and is now.</summary>
    ListedAgain,

    /// <summary>It cannot be listed; the file is left alone, the message says why.</summary>
    LeftAlone,

    /// <summary>It was listed, and no file holds it: it is not listed any more.</summary>
    Lost,
}

/// <summary>An image that a recovery found, or missed.</summary>
internal sealed class RecoveredImage
{
    internal RecoveredImage(string fileName, long? generation, RecoveryOutcome outcome, string message)
    {
        FileName = fileName;
        Generation = generation;
        Outcome = outcome;
        Message = message;
    }

    /// <summary>The name of the file before the recovery.</summary>
    public string FileName { get; }

    /// <summary>The generation that the image says it is, or null when that cannot be read.</summary>
    public long? Generation { get; }

    /// <summary>What became of it.</summary>
    public RecoveryOutcome Outcome { get; }

    /// <summary>Why; a sentence.</summary>
    public string Message { get; }
}

/// <summary>What a recovery did.</summary>
internal sealed class RecoveryReport
{
    internal RecoveryReport(
        IReadOnlyList<RecoveredImage> images, int generationCount, string? replacedManifest)
    {
        Images = images;
        GenerationCount = generationCount;
        ReplacedManifest = replacedManifest;
    }

    /// <summary>Every image, in the order of names.</summary>
    public IReadOnlyList<RecoveredImage> Images { get; }

    /// <summary>How many generations the new manifest lists.</summary>
    public int GenerationCount { get; }

    /// <summary>The name under which the old manifest was kept, or null when there was none.</summary>
    public string? ReplacedManifest { get; }

    /// <summary>Whether the new manifest lists other images than the old one.</summary>
    public bool ChangesAnything => Images.Any(
        image => image.Outcome is RecoveryOutcome.ListedAgain or RecoveryOutcome.Lost);
}
