using Xunit;

namespace Snapshot.Tests.Arm64;

/// <summary>
/// A test of programs for linux-arm64; skipped, with the reason, where they cannot be built or emulated.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Arm64FactAttribute : FactAttribute
{
    /// <summary>Looks once a process.</summary>
    public Arm64FactAttribute() => Skip = Arm64Programs.Obstacle;
}
