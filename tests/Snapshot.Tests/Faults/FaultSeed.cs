using System.Globalization;

namespace Snapshot.Tests.Faults;

/// <summary>
/// The seed of what is chosen at random: always the same, or what SNAPSHOT_FAULT_SEED says.
/// </summary>
internal static class FaultSeed
{
    internal static int Value { get; } =
        int.Parse(
            Environment.GetEnvironmentVariable("SNAPSHOT_FAULT_SEED") is { Length: > 0 } text ? text : "1",
            CultureInfo.InvariantCulture);
}
