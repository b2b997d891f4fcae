using System.Globalization;
using Snapshot.Base;

namespace Snapshot;

/// <summary>
/// Defaults of <see cref="SnapshotOptions"/> that whoever runs a program may set without building it anew.
/// What the program says explicitly wins.
/// </summary>
internal static class EnvironmentDefaults
{
    private const string Prefix = "SNAPSHOT_";

    /// <summary>
    /// Every variable that means something to Snapshot, to its command or its build command.
    /// </summary>
    private static readonly string[] s_known =
    [
        "SNAPSHOT_CAPTURE", "SNAPSHOT_TRACKING", "SNAPSHOT_RESTART_FILL", "SNAPSHOT_RESTART",
        "SNAPSHOT_PRETEND",
        "SNAPSHOT_RUN_ATTEMPT", "SNAPSHOT_MODULE_DIR", "SNAPSHOT_LIBRARY",
    ];

    internal static CaptureMode Capture => EnvironmentVariable.Of("SNAPSHOT_CAPTURE", CaptureMode.Auto);

    internal static TrackingMechanism Tracking =>
        EnvironmentVariable.Of("SNAPSHOT_TRACKING", TrackingMechanism.Auto);

    /// <summary>Variables that are set and mean nothing: misspelt, or somebody else's.</summary>
    internal static IEnumerable<string> Unknown() =>
        Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name =>
                name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && !s_known.Contains(name))
            .Order(StringComparer.Ordinal);

    /// <summary>
    /// What a restart may do, where the program does not say it: which generation it takes, or that an older
    /// one will do.
    /// </summary>
    internal static RestartOptions Restart(RestartOptions program, SnapshotStore store)
    {
        const string Variable = "SNAPSHOT_RESTART";
        const string ByTag = "tag=";
        string? text = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(text) || program.NamesOne) return program;
        if (string.Equals(text, "newest", StringComparison.OrdinalIgnoreCase))
            return program.With(store.Newest?.Generation, program.AllowOlderGeneration);
        if (string.Equals(text, "older", StringComparison.OrdinalIgnoreCase))
            return program.With(null, allowOlder: true);
        if (text.StartsWith(ByTag, StringComparison.OrdinalIgnoreCase)
            && RecordedTag.IsUsable(text[ByTag.Length..]))
            return program.With(null, program.AllowOlderGeneration, text[ByTag.Length..]);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long generation) &&
            generation > 0)
            return program.With(generation, program.AllowOlderGeneration);
        throw new SnapshotException(
            SnapshotErrorCode.InvalidSetting,
            $"The environment variable {Variable} is '{text}'. It may be newest, older (the newest " +
            "generation that can be restored), the number of a generation, or tag= and its tag; or unset " +
            "it.");
    }
}
