namespace Snapshot.Bench;

/// <summary>Where the time of a simulated job went, in seconds.</summary>
internal sealed record SimulatedTimes
{
    private static readonly int s_sources = Enum.GetValues<RestartSource>().Length;

    private readonly double[] _lost = new double[s_sources];
    private readonly int[] _restarts = new int[s_sources];

    /// <summary>From the beginning until the end is published, or the job was given up.</summary>
    internal double Wall { get; set; }

    /// <summary>How far it came.</summary>
    internal double Useful { get; set; }

    internal double Felt { get; set; }

    internal double Restart { get; set; }

    /// <summary>Until hosts were replaced, and until the last generation was published.</summary>
    internal double Waiting { get; set; }

    /// <summary>Whether the end was reached.</summary>
    internal bool HasEnded { get; set; }

    internal long Checkpoints { get; set; }

    internal int Failures { get; set; }

    /// <summary>What was computed and had to be computed again, since a restart took what it did.</summary>
    internal double Lost(RestartSource source) => _lost[(int)source];

    /// <summary>Restarts begun, also those that a failure ended.</summary>
    internal int Restarts(RestartSource source) => _restarts[(int)source];

    internal void Lose(RestartSource source, double work)
    {
        _lost[(int)source] += work;
        _restarts[(int)source]++;
    }
}
