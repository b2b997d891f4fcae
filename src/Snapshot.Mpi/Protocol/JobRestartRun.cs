using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// The restart of a job: the newest published generation that every rank restores, all of them or none.
/// </summary>
/// <remarks>
/// A rank may have newer images, of checkpoints that were not published: it does not look at them, and the
/// store lets them go when the next generations are published.
/// </remarks>
internal sealed class JobRestartRun(RankGroup ranks, JobPlaces places, Func<RankStart, SnapshotSession> open)
{
    private readonly List<SkippedJobGeneration> _skipped = [];

    /// <summary>Collective. Returns the session of this rank, with what it was restored from.</summary>
    /// <exception cref="SnapshotException">
    /// What opening the stores and restoring throws; RankFailed where another rank did. LayoutMismatch: the
    /// job had another number of ranks. NotFound: no published generation can be restored.
    /// </exception>
    internal JobStart Execute()
    {
        JobManifest manifest = Newest() ?? new JobManifest(ranks.Size, 0, []);
        if (manifest.Ranks != ranks.Size) throw OtherRanks(manifest.Ranks);
        if (manifest.Newest is null)
        {
            return new JobStart(
                ranks.Together(() => open(new RankStart(null, 0))), manifest, null);
        }

        foreach (JobEntry entry in manifest.Entries.Reverse())
        {
            if (TryRestore(manifest, entry) is not { } session) continue;
            JobGeneration from = new(entry.Generation, entry.Step);
            return new JobStart(session, manifest, new JobRestart(from, _skipped));
        }

        throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"None of the {manifest.Entries.Count} published generations of '{places.Directory}' can be " +
            $"restored by every rank. The newest: {_skipped[0].Reason.Message}",
            _skipped[0].Reason)
        { Path = places.Directory };
    }

    /// <summary>The newest manifest that a rank sees: their directories may be on different disks.</summary>
    private JobManifest? Newest()
    {
        JobManifest? mine = ranks.Together(() => JobManifestFile.Read(places.Directory));
        long[] newest = [mine?.Sequence ?? 0];
        ranks.Max(newest);
        if (newest[0] == 0) return null;
        long[] holder = [mine?.Sequence == newest[0] ? ranks.Size - ranks.Rank : 0];
        ranks.Max(holder);
        byte[] bytes = ranks.Broadcast(
            holder[0] == ranks.Size - ranks.Rank ? mine!.Encode() : [], ranks.Size - (int)holder[0]);
        return JobManifest.Decode(bytes, places.ManifestPath);
    }

    /// <summary>Null where a rank does not have the image whole: then no rank restores it.</summary>
    private SnapshotSession? TryRestore(JobManifest manifest, JobEntry entry)
    {
        SnapshotSession? session = null;
        RankImage oldest = manifest.Entries[0].Images[ranks.Rank];
        Exception? thrown = ranks.Try(
            () => session = open(new RankStart(entry.Images[ranks.Rank].ImageId, oldest.Generation)));
        if (thrown is null) return session;
        session?.Dispose();

        // An older generation helps against damage, and against nothing else.
        long[] worst = [IsDamage(thrown) || IsAnotherRanks(thrown) ? 0 : 1];
        ranks.Max(worst);
        if (worst[0] > 0) throw thrown;
        _skipped.Add(new SkippedJobGeneration(new JobGeneration(entry.Generation, entry.Step), thrown));
        return null;
    }

    private static bool IsDamage(Exception thrown) => thrown is SnapshotException
    {
        Code: SnapshotErrorCode.NotFound or SnapshotErrorCode.Corrupt or SnapshotErrorCode.ChainBroken
    };

    private static bool IsAnotherRanks(Exception thrown) =>
        thrown is SnapshotException { Code: SnapshotErrorCode.RankFailed };

    private SnapshotException OtherRanks(int had) => new(
        SnapshotErrorCode.LayoutMismatch,
        $"'{places.Directory}' is of a job of {had} ranks, and this one has {ranks.Size}. Images are of " +
        "one rank's memory each: start as many, or read the data and distribute it anew.")
    { Path = places.Directory };
}

/// <summary>How a rank opens its session.</summary>
/// <param name="ImageId">The image to restore, or null to start over.</param>
/// <param name="Floor">The oldest generation of the rank's store that is to stay.</param>
internal readonly record struct RankStart(Guid? ImageId, long Floor);

/// <summary>What a restart comes to.</summary>
/// <param name="Session">The rank's.</param>
/// <param name="Manifest">What is published.</param>
/// <param name="Restarted">Null where nothing was.</param>
internal sealed record JobStart(SnapshotSession Session, JobManifest Manifest, JobRestart? Restarted);
