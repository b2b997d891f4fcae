using System.IO.Hashing;

namespace Snapshot.TestPrograms.Life;

/// <summary>
/// Looks at a store with nothing between it and the disk: every acknowledged generation that retention keeps
/// can be restored and has the right bytes, and so has every other that is listed; the next checkpoint is
/// complete.
/// </summary>
internal static class LifeCheck
{
    /// <summary>What is wrong; empty when nothing is.</summary>
    /// <param name="store">The store.</param>
    /// <param name="acknowledged">The step of each acknowledged generation.</param>
    /// <param name="restored">
    /// Generations of sets of images that were restored before and need not be again; it grows. Null: restore
    /// all.
    /// </param>
    /// <param name="goesOn">Whether to take a checkpoint, too.</param>
    internal static List<string> Run(
        string store, IReadOnlyDictionary<long, long> acknowledged,
        HashSet<(UInt128 Images, long Generation)>? restored, bool goesOn)
    {
        List<string> findings = [];
        long[] listed = [];
        if (!Directory.Exists(store) && acknowledged.Count == 0) return findings;
        Try(findings, "opening", () =>
        {
            using SnapshotStore opened = SnapshotStore.Open(store, StoreLife.Options.Store);
            listed = [.. opened.Generations.Select(entry => entry.Generation)];
        });
        foreach (long generation in acknowledged.Keys)
        {
            // Retention may take it only when as many newer ones are there as it keeps.
            if (!listed.Contains(generation)
                && listed.Count(other => other > generation) < StoreLife.Options.Store.Retention.KeepLast)
            {
                findings.Add(
                    $"generation {generation} was acknowledged, and of " +
                    $"{string.Join(',', acknowledged.Keys)} only {string.Join(',', listed)} are there");
            }
        }

        UInt128 images = restored is null ? 0 : HashOfImages(store, acknowledged);
        foreach (long generation in listed)
        {
            if (restored?.Add((images, generation)) == false) continue;
            Try(findings, $"restoring {generation}", () =>
                Restore(store, generation, acknowledged, findings));
        }

        if (goesOn) Try(findings, "going on", () => GoOn(store, findings));
        return findings;
    }

    /// <summary>Of all images of an open store's folder, and of what is expected of them.</summary>
    private static UInt128 HashOfImages(string store, IReadOnlyDictionary<long, long> acknowledged)
    {
        XxHash128 hash = new();
        hash.Append(BitConverter.GetBytes(acknowledged.Count));
        foreach (string file in Directory.EnumerateFiles(store, "*.snapshot").Order(StringComparer.Ordinal))
            hash.Append(File.ReadAllBytes(file));
        return hash.GetCurrentHashAsUInt128();
    }

    private static void Restore(
        string store, long generation, IReadOnlyDictionary<long, long> acknowledged, List<string> findings)
    {
        long[] buffer = LifeState.NewBuffer();
        using SnapshotSession session = SnapshotSession.Restart(
            store, StoreLife.Restarting(new RestartOptions { Generation = generation }));
        LifeState state = LifeState.Open(session, buffer);
        if (state.Fault() is { } fault) findings.Add($"generation {generation}: {fault}");
        if (acknowledged.TryGetValue(generation, out long step) && step != state.Step)
            findings.Add($"generation {generation} has step {state.Step} instead of {step}");
        GC.KeepAlive(buffer);
    }

    private static void GoOn(string store, List<string> findings)
    {
        long[] buffer = LifeState.NewBuffer();
        long step, generation;
        using (SnapshotSession session = SnapshotSession.Open(store, StoreLife.Options))
        {
            LifeState state = LifeState.Open(session, buffer);
            state.Go();
            step = state.Step;
            generation = session.RequestCheckpoint().WaitCommittedInThread().Generation;
        }

        Restore(store, generation, new Dictionary<long, long> { [generation] = step }, findings);
        GC.KeepAlive(buffer);
    }

    private static void Try(List<string> findings, string what, Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // Each is a finding.
        catch (Exception error)
#pragma warning restore CA1031
        {
            findings.Add($"{what}: {error}");
        }
    }
}
