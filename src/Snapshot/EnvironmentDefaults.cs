namespace Snapshot;

/// <summary>
/// Defaults of <see cref="SnapshotOptions"/> that whoever runs a program may set without building it anew. What the
/// program says by name wins.
/// </summary>
internal static class EnvironmentDefaults
{
    internal static CaptureMode Capture => Of("SNAPSHOT_CAPTURE", CaptureMode.Auto);

    internal static RestartFill RestartFill => Of("SNAPSHOT_RESTART_FILL", RestartFill.Eager);

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
