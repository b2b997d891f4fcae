using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Levels;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// The restart of a job: the newest published generation that every rank restores, all of them or none.
/// </summary>
/// <remarks>
/// A rank whose own store does not have its image whole fetches it from a level that has. A rank may have
/// newer images, of checkpoints that were not published: it does not look at them, and the store lets them go
/// when the next generations are published.
/// </remarks>
internal sealed class JobRestartRun(
    RankGroup ranks, JobPlaces places, IReadOnlyList<ILevel> levels, StoreOptions options,
    Func<RankStart, SnapshotSession> open)
{
    // A manifest of hosts that were lost may come back: what goes on without it must be the newer one.
    private const long SequencesAhead = 1 << 20;

    private readonly List<SkippedJobGeneration> _skipped = [];
    private JobLevel _from;

    /// <summary>Collective. Returns the session of this rank, with what it was restored from.</summary>
    /// <param name="isKeeper">Whether this rank writes the manifest.</param>
    /// <exception cref="SnapshotException">
    /// What opening the stores and restoring throws; RankFailed where another rank did. LayoutMismatch: the
    /// job had another number of ranks. NotFound: no published generation can be restored.
    /// </exception>
    internal JobStart Execute(bool isKeeper)
    {
        JobManifest? newest = NewestManifest.Of(ranks, places, out bool isHere);
        JobManifest manifest = newest ?? new JobManifest(ranks.Size, 0, []);
        JobEntry[] entries = [.. AllEntries(manifest).OrderBy(entry => entry.Generation)];
        long last = entries is [.., JobEntry youngest] ? youngest.Generation : 0;
        if (newest is null && last > 0) manifest = manifest with { Sequence = SequencesAhead };
        if (newest is not null) Spread(newest, isKeeper && !isHere);
        long first = manifest.RestartGeneration > 0 ? manifest.RestartGeneration : last;
        foreach (JobEntry entry in entries.Reverse().Where(entry => entry.Generation <= first))
        {
            if (TryRestore(entry, FloorOf(manifest, entry)) is not { } session) continue;
            JobManifest from = GoOnFrom(manifest, entry, isKeeper);
            return new JobStart(
                session, from, new JobRestart(entry.Name, _from, _skipped), from.Newest, last);
        }

        if (entries.Length == 0)
        {
            SnapshotSession fresh = ranks.Together(() => open(new RankStart(null, 0)));
            return new JobStart(fresh, GoOnFrom(manifest, null, isKeeper), null, null, last);
        }

        throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"None of the {entries.Length} published generations of '{places.Directory}' can be " +
            $"restored by every rank. The newest: {_skipped[0].Reason.Message}",
            _skipped[0].Reason)
        { Path = places.Directory };
    }

    /// <summary>The generations of the job's manifest, and those that a level alone can tell of.</summary>
    private IEnumerable<JobEntry> AllEntries(JobManifest manifest)
    {
        JobManifest[] all = [manifest, .. levels.Select(level => level.Manifest).OfType<JobManifest>()];
        return all.FirstOrDefault(one => one.Ranks != ranks.Size) is { } other
            ? throw OtherRanks(other.Ranks)
            : all.SelectMany(one => one.Entries).DistinctBy(entry => entry.Generation);
    }

    /// <summary>Those keepers write a manifest that have it not.</summary>
    private void Spread(JobManifest newest, bool writes) => ranks.Together(() =>
    {
        if (writes) JobManifestFile.Write(places.Directory, newest, options, static _ => { });
    });

    /// <summary>
    /// What the job goes on from: nothing younger is published, and levels say what they have. Where that is
    /// less than the manifest says, since a host was lost, it is told at once.
    /// </summary>
    private JobManifest GoOnFrom(JobManifest manifest, JobEntry? from, bool isKeeper)
    {
        ranks.Together(() =>
        {
            foreach (ILevel level in levels) level.GoOnFrom(from);
        });
        if (from is null) return manifest;
        JobEntry[] entries =
            [.. manifest.UpTo(from.Generation - 1).Entries.Append(from).Select(WithLevels)];
        JobManifest told = manifest.WithEntries(
            entry => entries.FirstOrDefault(found => found.Generation == entry.Generation) ?? entry);
        bool isNew = !told.Entries.Select(entry => entry.Levels).SequenceEqual(
            manifest.Entries.Select(entry => entry.Levels));
        if (isNew)
        {
            told = told with { Sequence = manifest.Sequence + 1 };
            Spread(told, isKeeper);
        }

        return told with { Entries = entries };
    }

    private JobEntry WithLevels(JobEntry entry)
    {
        long[] lacking = [.. levels.Select(level => level.Has(entry) ? 0L : 1L)];
        ranks.Max(lacking);
        JobLevels found = JobLevels.None;
        for (int i = 0; i < levels.Count; i++) found |= lacking[i] == 0 ? levels[i].Flag : JobLevels.None;
        return entry with { Levels = found };
    }

    /// <summary>The oldest generation of this rank's store that an entry needs.</summary>
    private long FloorOf(JobManifest manifest, JobEntry entry) =>
        manifest.Entries.Take(1).Append(entry).Min(listed => listed.Images[ranks.Rank].Generation);

    /// <summary>Null where a rank does not have the image whole: then no rank restores it.</summary>
    private SnapshotSession? TryRestore(JobEntry entry, long floor)
    {
        SnapshotSession? session = null;
        _from = JobLevel.Local;
        RankStart start = new(entry.Images[ranks.Rank].ImageId, floor);
        Exception? thrown = ranks.Try(() => session ??= open(start));
        foreach (ILevel level in levels)
        {
            if (thrown is null || !IsDamageOfAll(thrown)) break;
            bool needed = session is null;
            if (TryFetch(level, entry, needed) is { } notFetched)
            {
                if (!IsDamageOfAll(notFetched)) thrown = notFetched;
                continue;
            }

            if (needed) _from = level.Name;
            thrown = ranks.Try(() => session ??= open(start));
        }

        if (thrown is null) return session;
        session?.Dispose();

        // An older generation helps against damage, and against nothing else.
        if (!IsDamageOfAll(thrown)) throw thrown;
        _skipped.Add(new SkippedJobGeneration(entry.Name, thrown));
        return null;
    }

    /// <summary>
    /// Collective. Puts the stores of ranks that need it together from a level; or says what it failed with.
    /// </summary>
    private Exception? TryFetch(ILevel level, JobEntry entry, bool needed)
    {
        bool[] needs = [.. ranks.GatherToAll(needed ? 1 : 0).Select(word => word != 0)];
        string partial = places.PartialStoreOf(ranks.Rank), store = places.StoreOf(ranks.Rank);
        SnapshotStore? into = null;
        Exception? thrown;
        try
        {
            thrown = ranks.Try(() =>
            {
                JobPlaces.Delete(partial);
                if (needed) into = SnapshotStore.Open(partial, options);
            });
            thrown ??= Fetch(level, entry, needs, into);
        }
        finally
        {
            into?.Dispose();
        }

        return thrown ?? ranks.Try(() =>
        {
            if (!needed) return;
            JobPlaces.SetAside(store);
            Directory.Move(partial, store);
        });
    }

    private Exception? Fetch(ILevel level, JobEntry entry, bool[] needs, SnapshotStore? into)
    {
        using ILevelWork work = level.Fetch(entry, needs, into);
        SpinWait wait = default;
        while (!work.Advance()) wait.SpinOnce();
        return ranks.Try(() =>
        {
            if (work.Error is { } error) throw error;
        });
    }

    /// <summary>Collective: whether no rank failed by anything else.</summary>
    private bool IsDamageOfAll(Exception thrown)
    {
        long[] worst = [IsDamage(thrown) || IsAnotherRanks(thrown) ? 0 : 1];
        ranks.Max(worst);
        return worst[0] == 0;
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
/// <param name="Manifest">What is published, as far as the job goes on from it.</param>
/// <param name="Restarted">Null where nothing was.</param>
/// <param name="Entry">The same, as the manifest has it.</param>
/// <param name="LastGeneration">The highest number that was ever published.</param>
internal sealed record JobStart(
    SnapshotSession Session, JobManifest Manifest, JobRestart? Restarted, JobEntry? Entry,
    long LastGeneration);
