using System.Globalization;

namespace Snapshot;

/// <summary>
/// Defaults of <see cref="SnapshotOptions"/> that whoever runs a program may set without building it anew. What the
/// program says by name wins.
/// </summary>
internal static class EnvironmentDefaults
{
    internal static CaptureMode Capture => Of("SNAPSHOT_CAPTURE", CaptureMode.Auto);

    internal static RestartFill RestartFill => Of("SNAPSHOT_RESTART_FILL", RestartFill.Eager);

    /// <summary>
    /// What a restart may do, where the program does not say it: which generation it takes, or that an older one will
    /// do.
    /// </summary>
    internal static RestartOptions Restart(RestartOptions program, SnapshotStore store)
    {
        const string Variable = "SNAPSHOT_RESTART";
        string? text = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(text) || program.Generation is not null) return program;
        if (string.Equals(text, "newest", StringComparison.OrdinalIgnoreCase))
            return program.With(store.Newest?.Generation, program.AllowOlderGeneration);
        if (string.Equals(text, "older", StringComparison.OrdinalIgnoreCase))
            return program.With(null, allowOlder: true);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long generation) && generation > 0)
            return program.With(generation, program.AllowOlderGeneration);
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"The environment variable {Variable} is '{text}'. It may be newest, older (the newest generation that " +
            "can be restored) or the number of a generation; or unset it.");
    }

    private static T Of<T>(string variable, T otherwise) where T : struct, Enum
    {
        string? text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text)) return otherwise;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"The environment variable {variable} is '{text}'. It may be " +
            $"{string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}; or unset it.");
    }
}
