using Snapshot.Machines;
using Xunit;

namespace Snapshot.Tests.Machines;

/// <summary>A test that boots a guest; skipped, with the reason, where what it needs cannot be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MachineFactAttribute : FactAttribute
{
    /// <summary>Looks once a process.</summary>
    public MachineFactAttribute() => Skip = GuestNeeds.Obstacle;
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MachineTheoryAttribute : TheoryAttribute
{
    public MachineTheoryAttribute() => Skip = GuestNeeds.Obstacle;
}

/// <summary>One that takes from minutes to an hour: only when long tests are asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongMachineTheoryAttribute : TheoryAttribute
{
    public LongMachineTheoryAttribute() => Skip = Soak.IsLong
        ? GuestNeeds.Obstacle
        : "takes up to an hour: set SNAPSHOT_SOAK_SECONDS, or run tests/Snapshot.Machines";
}
