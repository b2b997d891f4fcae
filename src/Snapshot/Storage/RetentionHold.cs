using Snapshot.Base;

namespace Snapshot;

/// <summary>
/// Keeps generations of a store from a floor upward, whatever its policy says, until the floor is raised: for
/// who decides elsewhere which generation is the one to go back to.
/// </summary>
/// <remarks>
/// Neither the maintenance of a session, nor <see cref="SnapshotStore.PruneAsync"/>, nor what makes room for
/// a checkpoint deletes a generation at or above the floor, or one that such a one needs. Below it the policy
/// counts as ever. Generations may be compacted: they keep their number and their id. A floor of 0 keeps all.
/// Where there is no room left for a checkpoint it fails, and names the hold. Thread-safe.
/// </remarks>
/// <param name="floor">The lowest generation that is kept in any case.</param>
/// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
public sealed class RetentionHold(long floor = 0)
{
    private long _floor = OptionValue.AtLeast(floor, 0, nameof(floor));

    /// <summary>The lowest generation that is kept in any case.</summary>
    public long Floor => Interlocked.Read(ref _floor);

    /// <summary>
    /// Lets go of the generations below: what prunes next, as after the next commit, may delete them.
    /// </summary>
    /// <param name="generation">The new floor; one below the present floor changes nothing.</param>
    public void RaiseTo(long generation)
    {
        for (long seen = Floor; seen < generation;)
        {
            long found = Interlocked.CompareExchange(ref _floor, generation, seen);
            if (found == seen) return;
            seen = found;
        }
    }
}
