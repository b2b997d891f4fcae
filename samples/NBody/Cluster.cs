using Snapshot;
using Snapshot.Fibers;

namespace NBody;

/// <summary>
/// The root of a simulation: the bodies, and what its fibers share. Where each fiber stands is in its frame,
/// which is in the same arena.
/// </summary>
internal struct Cluster
{
    internal int Bodies;
    internal int Fibers;
    internal int Threads;
    internal long Steps;

    /// <summary>1 once the bodies have their places; nothing is captured before that.</summary>
    internal int IsBegun;

    /// <summary>Steps that all fibers have begun; for those who watch.</summary>
    internal long Step;

    /// <summary>What was allocated when no fiber had been started.</summary>
    internal long BytesWithoutFibers;

    internal Axis X;
    internal Axis Y;
    internal Axis Z;

    /// <summary>Zero for those that only fill the last pack.</summary>
    internal ArenaArray<double> Mass;

    internal ArenaArray<Tile> Tiles;

    /// <summary>What each worker's sync handler counted, when its fibers had ended.</summary>
    internal ArenaArray<long> Interactions;

    /// <summary>All fibers that compute meet here, twice a step.</summary>
    internal ArenaBarrier Barrier;

    internal ArenaMutex EnergyMutex;

    /// <summary>The sum over the tiles that have added theirs in this step; under the mutex.</summary>
    internal Energy Energy;
    internal int TilesAdded;

    /// <summary>From the fibers that compute to the one that writes.</summary>
    internal ArenaChannel<Result> Results;

    /// <summary>Who holds it may write to the results file: the writing fiber, or the handler.</summary>
    internal ArenaMutex FileMutex;

    internal Result First;
    internal Result Last;
}

/// <summary>One coordinate of all bodies.</summary>
internal struct Axis
{
    internal ArenaArray<double> Position;
    internal ArenaArray<double> Velocity;
    internal ArenaArray<double> Acceleration;
}

/// <summary>The bodies of one fiber, as packs.</summary>
internal struct Tile
{
    internal int FirstPack;
    internal int EndPack;
    internal int Worker;

    /// <summary>Counted in a <c>finally</c>, which runs once a step however often the process dies.</summary>
    internal long StepsEnded;
}

/// <summary>Energies as multiples of 2^-56: integers add up to the same sum in any order.</summary>
internal struct Energy
{
    private const double Scale = 1L << 56;

    private long _kinetic;
    private long _potential;

    internal readonly double Kinetic => _kinetic / Scale;

    internal readonly double Potential => _potential / Scale;

    internal void Add(double kinetic, double potential)
    {
        _kinetic = checked(_kinetic + checked((long)Math.Round(kinetic * Scale)));
        _potential = checked(_potential + checked((long)Math.Round(potential * Scale)));
    }
}

/// <summary>One line of the results file.</summary>
internal record struct Result(long Step, double Kinetic, double Potential)
{
    internal readonly double Total => Kinetic + Potential;

    /// <summary>How far the total energy, which should not change, is from another one, relatively.</summary>
    internal readonly double DriftFrom(Result first) => (Total - first.Total) / Math.Abs(first.Total);
}
