namespace Snapshot.Base;

/// <summary>Reads environment variables that stand in for an option the program does not give.</summary>
internal static class EnvironmentVariable
{
    /// <summary>
    /// The member of an enumeration that a variable names; upper and lower case are the same.
    /// </summary>
    /// <exception cref="SnapshotException">InvalidSetting: it names none.</exception>
    internal static T Of<T>(string variable, T otherwise) where T : struct, Enum
    {
        string? text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text)) return otherwise;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw new SnapshotException(
            SnapshotErrorCode.InvalidSetting,
            $"The environment variable {variable} is '{text}'. It may be " +
            $"{string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}; or unset it.");
    }
}
