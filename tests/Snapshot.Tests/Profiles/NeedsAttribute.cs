using Snapshot.Tests.Library;
using Snapshot.Tests.Mpi;
using Snapshot.Tests.Threads.Native;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// What a test, or each test of a class, needs of the machine: without it the test is skipped, and says why.
/// For tests that are marked <see cref="MachineFactAttribute"/> or <see cref="MachineTheoryAttribute"/>. What
/// a row of a theory names, such as <see cref="CaptureMode.CopyOnWrite"/>, that row needs without being told.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class NeedsAttribute(params Capability[] capabilities) : Attribute
{
    /// <summary>What is needed.</summary>
    public IReadOnlyList<Capability> Capabilities => capabilities;

    /// <summary>Programs that are needed on the PATH, beside that.</summary>
    public string[] Programs { get; init; } = [];

    /// <summary>A python3 that has numpy.</summary>
    public bool Numpy { get; init; }

    /// <summary>A file system in memory that may be mounted.</summary>
    public bool SmallDisk { get; init; }

    /// <summary>Hosts made of network namespaces.</summary>
    public bool Hosts { get; init; }

    /// <summary>
    /// Compilers, or sanitizers, which write beside the sources and make calls that a profile denies: they
    /// run on the machine itself, and not in a profile of it.
    /// </summary>
    public bool Toolchain { get; init; }

    /// <summary>What is missing here for a test, or for one row of it; null: nothing.</summary>
    internal static string? Missing(ITestMethod test, object[]? row)
    {
        NeedsAttribute[] needs =
        [
            .. test.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute))
                .Concat(test.Method.GetCustomAttributes(typeof(NeedsAttribute)))
                .Select(info => (NeedsAttribute)((ReflectionAttributeInfo)info).Attribute),
        ];
        return needs.SelectMany(need => need.Capabilities)
            .Concat((row ?? []).Select(NamedBy).OfType<Capability>())
            .Select(MachineCapabilities.Current.Of)
            .Where(found => !found.Available)
            .Select(found => $"this machine lacks {found.Name}: {found.Detail}")
            .Concat(needs.SelectMany(need => need.Programs).Select(ModuleWorkshop.Missing).OfType<string>())
            .Concat(needs.Where(need => need.Numpy).Select(_ => PythonProgram.Missing).OfType<string>())
            .Concat(
                needs.Where(need => need.SmallDisk).Select(_ => Session.SmallDisk.Obstacle).OfType<string>())
            .Concat(needs.Where(need => need.Hosts).Select(_ => TwoHosts.Obstacle).OfType<string>())
            .Concat(
                needs.Where(need => need.Toolchain).Select(_ => Profile.ToolchainObstacle).OfType<string>())
            .FirstOrDefault();
    }

    /// <summary>What an argument asks for by name.</summary>
    internal static Capability? NamedBy(object? argument) => argument switch
    {
        TrackingMechanism.WriteProtect or CaptureMode.PreCopy => Capability.WriteTracking,
        TrackingMechanism.SoftDirty => Capability.SoftDirty,
        TrackingMechanism.ServedWriteProtect or CaptureMode.CopyOnWrite => Capability.CopyOnWrite,
        RestartFill.Lazy => Capability.PagesOnDemand,
        _ => null,
    };
}
