namespace Snapshot.Bench;

/// <summary>A quantity that is varied while the others stay.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Of">Its value in a row.</param>
/// <param name="Far">A value far beyond what is measured, to which its growth is carried.</param>
internal sealed record ScaleAxis(string Name, Func<CrowdSetup, double> Of, double Far)
{
    internal static readonly ScaleAxis Memory = new(
        "memory GiB", setup => setup.ArenaBytes / (double)(1L << 30), 1024);
    internal static readonly ScaleAxis Threads = new("threads", setup => setup.Threads, 256);
    internal static readonly ScaleAxis Arenas = new("arenas", setup => setup.Arenas, 64);

    internal static IReadOnlyList<ScaleAxis> All => [Memory, Threads, Arenas];
}

/// <summary>One setup, measured, as a point of an axis.</summary>
internal sealed record ScaleRow(ScaleAxis Axis, CrowdMeasurement Measured)
{
    internal double Quantity => Axis.Of(Measured.Setup);

    internal double Median(Func<SnapshotInfo, double> figure) =>
        Figures.Median(Measured.Checkpoints.Select(figure));

    internal double Pause(Func<PauseInfo, TimeSpan> part) =>
        Median(info => part(info.Capture.Pause).TotalMilliseconds);
}
