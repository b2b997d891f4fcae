using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;

namespace Snapshot.Mpi.Levels;

/// <summary>Opens the levels that a job asks for.</summary>
internal static class JobLevelsOpening
{
    /// <summary>Collective. In the order in which a restart asks them.</summary>
    /// <exception cref="SnapshotException">
    /// Unsupported: there is no other failure domain for partners. StoreBusy, StoreIo, Corrupt, RankFailed.
    /// </exception>
    internal static IReadOnlyList<ILevel> Open(
        RankGroup ranks, FailureDomains domains, JobPlaces places, MpiJobOptions options)
    {
        List<ILevel> levels = [];
        try
        {
            if (options.Partner)
            {
                if (domains.Count == 1) throw NoPartner(options.FailureDomain);
                ranks.Together(() => levels.Add(new PartnerLevel(
                    ranks, domains, places, options.Session.Store, options.CopyBytesPerSecond)));
            }

            if (options.SharedDirectory is { } shared)
            {
                JobManifest? manifest = NewestManifest.Of(ranks, new JobPlaces(shared), out _);
                ranks.Together(() => levels.Add(new SharedLevel(ranks, options, manifest)));
            }

            return levels;
        }
        catch
        {
            foreach (ILevel level in levels) level.Dispose();
            throw;
        }
    }

    private static SnapshotException NoPartner(string domain) => new(
        SnapshotErrorCode.Unsupported,
        $"All ranks are in the failure domain '{domain}', so no partner would survive its loss. Start " +
        $"ranks on several hosts, or leave {nameof(MpiJobOptions.Partner)} off.");
}
