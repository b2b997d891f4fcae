namespace Snapshot.Bench;

/// <summary>Which capture modes work here, found out by taking a checkpoint in each.</summary>
internal static class ModeProbe
{
    /// <summary>Every mode but the choice among them, and why it does not work, or null.</summary>
    internal static IReadOnlyList<(string Mode, string? Obstacle)> Try(string directory) =>
    [
        .. Enum.GetValues<CaptureMode>().Where(mode => mode != CaptureMode.Auto)
            .Select(mode => (SharedOptions.ToWord(mode.ToString()), ObstacleTo(mode, directory))),
    ];

    private static string? ObstacleTo(CaptureMode mode, string directory)
    {
        using StoreFolder folder = new(directory);
        try
        {
            using SnapshotSession session =
                SnapshotSession.Create(folder.Path, new SnapshotOptions { Capture = mode });
            session.OpenArena("probe", new ArenaOptions { Capacity = 4L << 20 }).Root<long>("cell") = 1;
            SnapshotInfo info = session.CheckpointAsync().GetAwaiter().GetResult();
            return info.Capture.Mode == mode
                ? null : $"{info.Capture.Mode} is used instead: {info.Capture.ModeReason}";
        }
        catch (SnapshotException error)
        {
            return error.Message;
        }
    }
}
