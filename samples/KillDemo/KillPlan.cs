namespace KillDemo;

/// <summary>What a run is to be doing when it is killed.</summary>
internal enum KillTarget
{
    /// <summary>The process starts, or restores its memory.</summary>
    Restart,

    /// <summary>Anything, with the threads computing.</summary>
    Compute,

    /// <summary>An image is being written or committed.</summary>
    Drain,
}

/// <summary>When to kill a run.</summary>
/// <param name="Target">What it is to be doing.</param>
/// <param name="Checkpoints">How many checkpoints it begins (Drain) or commits (Compute) before.</param>
/// <param name="Delay">How long after that.</param>
internal readonly record struct KillMoment(KillTarget Target, int Checkpoints, TimeSpan Delay);

/// <summary>Random moments to kill at; the same for the same seed, as far as clocks allow.</summary>
/// <param name="seed">Of the sequence.</param>
/// <param name="restart">How long a run takes to begin computing.</param>
/// <param name="compute">How long it may compute before it is killed.</param>
internal sealed class KillPlan(int seed, TimeSpan restart, TimeSpan compute)
{
    private const int CheckpointsMax = 3;

    private readonly Random _random = new(seed);

    /// <summary>How long an image takes, as seen last.</summary>
    internal TimeSpan Drain { get; set; } = TimeSpan.FromMilliseconds(20);

    internal KillMoment Next()
    {
        KillTarget target = (KillTarget)_random.Next(3);
        int checkpoints = _random.Next(1, CheckpointsMax + 1);
        TimeSpan longest = target switch
        {
            KillTarget.Restart => restart,
            KillTarget.Compute => compute,
            _ => Drain,
        };
        return new KillMoment(target, checkpoints, longest * _random.NextDouble());
    }
}
