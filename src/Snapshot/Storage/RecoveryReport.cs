namespace Snapshot;

/// <summary>What a recovery made of an image.</summary>
public enum RecoveryOutcome
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
/// <param name="FileName">The name of the file before the recovery.</param>
/// <param name="Generation">The generation that the image says it is, or null when that cannot be read.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Message">Why; a sentence.</param>
public sealed record RecoveredImage(string FileName, long? Generation, RecoveryOutcome Outcome, string Message);

/// <summary>What a recovery did.</summary>
/// <param name="Images">Every image, in the order of names.</param>
/// <param name="GenerationCount">How many generations the new manifest lists.</param>
/// <param name="ReplacedManifest">The name under which the old manifest was kept, or null when there was none.</param>
public sealed record RecoveryReport(
    IReadOnlyList<RecoveredImage> Images, int GenerationCount, string? ReplacedManifest)
{
    /// <summary>Whether the new manifest lists other images than the old one.</summary>
    public bool ChangesAnything => Images.Any(
        image => image.Outcome is RecoveryOutcome.ListedAgain or RecoveryOutcome.Lost);
}
