using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>Opens the session of a rank with what the job decides for it.</summary>
internal sealed class RankSession(RankGroup ranks, JobPlaces places, MpiJobOptions options)
{
    // Of the default size; only ranks that may come to live in one process must differ.
    private const int Windows = 848;

    // What a rank commits is kept until the job says that it may go; its own policy keeps nothing beyond.
    private static readonly RetentionPolicy s_retention = new() { KeepLast = 1, KeepPassedOver = false };

    /// <summary>
    /// What keeps the generations that the manifest lists, of the session that was opened last.
    /// </summary>
    internal RetentionHold Hold { get; private set; } = new();

    internal SnapshotSession Open(RankStart start)
    {
        Hold = new RetentionHold(start.Floor);
        SnapshotOptions session = options.Session.ForRank(
            options.Session.Store.With(s_retention, Hold),
            start.ImageId is { } image ? options.Session.Restart.With(image) : options.Session.Restart,
            options.Session.AddressWindow ?? new AddressWindow(ranks.Rank % Windows));
        string directory = places.StoreOf(ranks.Rank);
        return start.ImageId is null
            ? SnapshotSession.StartOver(directory, session)
            : SnapshotSession.Restart(directory, session);
    }
}
