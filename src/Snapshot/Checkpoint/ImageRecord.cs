using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Snapshot.Coordination;
using Snapshot.Image;
using Snapshot.Memory;

namespace Snapshot.Checkpoint;

/// <summary>What an image says apart from memory, made from a capture.</summary>
internal static class ImageRecord
{
    private static readonly EnvironmentDescription s_here = new(
        typeof(ImageRecord).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        RuntimeInformation.FrameworkDescription,
        RuntimeInformation.OSDescription,
        RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.MachineName,
        Environment.ProcessPath);

    internal static ImageMetadata Of(
        CoordinationState state, MemoryCapture memory, CaptureInfo captured) => new()
        {
            Owners = state.Owners,
            Participants = state.Participants,
            AsyncHandlers = state.Handlers,
            Roots = [.. memory.Captured.Where(region => region.Arena is not null).SelectMany(RootsOf)],
            Environment = s_here,
            Figures = FiguresOf(memory, captured),
        };

    private static IEnumerable<RootDescription> RootsOf(RegionCapture region) => region.Arena!.Roots.Select(
        root => new RootDescription(region.Id, root.Name, root.TypeName, root.Count, root.Offset));

    private static KeyValuePair<string, string>[] FiguresOf(MemoryCapture memory, CaptureInfo captured) =>
    [
        new("mode", captured.Mode.ToString()),
        new("mode reason", captured.ModeReason),
        new("tracking", string.Join(
            ", ", memory.Captured.Select(region => region.Tracker.Mechanism).Distinct().Order())),
        new("pages tracked", captured.PagesTracked.ToString(CultureInfo.InvariantCulture)),
        new("pages copied in pause", captured.Pause.PagesCopied.ToString(CultureInfo.InvariantCulture)),
        new("pause ms", Milliseconds(captured.Pause.Total)),
        new("gather ms", Milliseconds(captured.Pause.Gather)),
        new("collect ms", Milliseconds(captured.Pause.Collect)),
        new("copy ms", Milliseconds(captured.Pause.Copy)),
    ];

    private static string Milliseconds(TimeSpan time) =>
        time.TotalMilliseconds.ToString("F3", CultureInfo.InvariantCulture);
}
