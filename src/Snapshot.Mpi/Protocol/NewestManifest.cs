using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>The newest manifest that a rank sees: their directories may be on different disks.</summary>
internal static class NewestManifest
{
    /// <summary>Collective. Null where no rank sees one; a damaged one counts where no other is.</summary>
    /// <exception cref="SnapshotException">Corrupt, UnsupportedFormat, StoreIo, RankFailed.</exception>
    /// <param name="ranks">Of the job.</param>
    /// <param name="places">Where it is.</param>
    /// <param name="isHere">Whether this rank sees that one.</param>
    internal static JobManifest? Of(RankGroup ranks, JobPlaces places, out bool isHere)
    {
        SnapshotException? damage = null;
        JobManifest? mine = ranks.Together(() => Read(places.Directory, out damage));
        long[] newest = [mine?.Sequence ?? 0];
        ranks.Max(newest);
        isHere = newest[0] > 0 && mine?.Sequence == newest[0];
        if (newest[0] == 0)
        {
            ranks.Together(() =>
            {
                if (damage is not null) throw damage;
            });
            return null;
        }

        long[] holder = [isHere ? ranks.Size - ranks.Rank : 0];
        ranks.Max(holder);
        byte[] bytes = ranks.Broadcast(
            holder[0] == ranks.Size - ranks.Rank ? mine!.Encode() : [], ranks.Size - (int)holder[0]);
        return JobManifest.Decode(bytes, places.ManifestPath);
    }

    private static JobManifest? Read(string directory, out SnapshotException? damage)
    {
        damage = null;
        try
        {
            return JobManifestFile.Read(directory);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.Corrupt)
        {
            damage = error;
            return null;
        }
    }
}
