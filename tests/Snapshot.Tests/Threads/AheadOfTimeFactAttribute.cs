using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// A test that is skipped where nothing can be compiled ahead of time; the reason says what is missing.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AheadOfTimeFactAttribute : FactAttribute
{
    /// <summary>Looks once a process.</summary>
    public AheadOfTimeFactAttribute() => Skip = FiberBuilds.Obstacle;
}
