using System.Globalization;

namespace Snapshot.Tests;

/// <summary>
/// How long the tests that repeat something at random go on: seconds by default, longer when asked to.
/// </summary>
internal static class Soak
{
    /// <summary>Whether long tests are asked for.</summary>
    internal static bool IsLong =>
        Environment.GetEnvironmentVariable("SNAPSHOT_SOAK_SECONDS") is { Length: > 0 };

    /// <summary>The time for one such test: SNAPSHOT_SOAK_SECONDS, or the short default.</summary>
    internal static TimeSpan Time(double seconds) =>
        Environment.GetEnvironmentVariable("SNAPSHOT_SOAK_SECONDS") is { Length: > 0 } text
            ? TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture))
            : TimeSpan.FromSeconds(seconds);
}
