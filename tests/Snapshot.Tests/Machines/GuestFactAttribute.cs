using Snapshot.Machines;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>A test that boots a guest; skipped, with the reason, where what it needs cannot be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GuestFactAttribute : FactAttribute
{
    /// <summary>Looks once a process.</summary>
    public GuestFactAttribute() => Skip = GuestNeeds.Obstacle;
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GuestTheoryAttribute : TheoryAttribute
{
    public GuestTheoryAttribute() => Skip = GuestNeeds.Obstacle;
}

/// <summary>One that takes from minutes to an hour: only when long tests are asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongGuestTheoryAttribute : TheoryAttribute
{
    public LongGuestTheoryAttribute() => Skip = Soak.IsLong
        ? GuestNeeds.Obstacle
        : "takes up to an hour: set SNAPSHOT_SOAK_SECONDS, or run tests/Snapshot.Machines";
}
