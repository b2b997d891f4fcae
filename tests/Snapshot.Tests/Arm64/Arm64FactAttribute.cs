using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.Arm64;

/// <summary>
/// A test of programs for linux-arm64; skipped, with the reason, where they cannot be built or emulated.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Arm64FactAttribute : FactAttribute
{
    /// <summary>Looks once a process.</summary>
    /// <param name="programs">What else is needed of this machine.</param>
    public Arm64FactAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = Arm64Programs.Obstacle
            ?? programs.Select(ModuleWorkshop.Missing).FirstOrDefault(missing => missing is not null);
    }

    /// <summary>What is looked for on the PATH beside the compiler and the emulator.</summary>
    public IReadOnlyList<string> Programs { get; }
}

/// <summary>
/// One that publishes one more program, which takes a minute: only when long tests are asked for.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongArm64FactAttribute : FactAttribute
{
    public LongArm64FactAttribute() => Skip = Soak.IsLong
        ? Arm64Programs.Obstacle
        : "publishes one more program: set SNAPSHOT_SOAK_SECONDS";
}
