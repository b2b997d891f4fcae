namespace Snapshot.Bench;

/// <summary>What rank 0 of a measured job found; times are medians.</summary>
/// <param name="StepMs">A step without checkpoints.</param>
/// <param name="LostMs">What steps took longer in which a checkpoint was taken, published and copied.</param>
/// <param name="PublishMs">From asking for it until it was published.</param>
/// <param name="Partner">The copies to partners, or null where there were none.</param>
/// <param name="Shared">The copies to the shared directory, or null.</param>
internal sealed record RanksTimes(
    double StepMs, double LostMs, double PublishMs, LevelTimes? Partner, LevelTimes? Shared);

/// <summary>Copies of generations to a level.</summary>
/// <param name="Ms">From asking for the checkpoint until all ranks had copied it.</param>
/// <param name="Bytes">Of all ranks, those copied of one generation.</param>
internal sealed record LevelTimes(double Ms, long Bytes);

/// <summary>What a poll takes at steps of a millisecond, in nanoseconds without the clock's own.</summary>
/// <param name="Mean">With those at which ranks agree, and wait for each other.</param>
/// <param name="Median">Of one that counts and returns.</param>
internal sealed record PollTimes(double Mean, double Median);

/// <summary>The start of a job.</summary>
/// <param name="Ms">From opening the job until the slowest rank had its memory.</param>
/// <param name="Level">The farthest from which a rank had its images.</param>
internal sealed record RankStartTimes(double Ms, string Level);
