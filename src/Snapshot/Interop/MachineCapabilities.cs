using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.Inspection;

/// <summary>
/// What this machine lets this process use, found out once by trying: the one table that is asked.
/// </summary>
/// <remarks>
/// Nothing here is concluded from a version number or from a call that merely succeeded: where it matters a
/// page is written and looked at. What the environment variable <c>SNAPSHOT_PRETEND</c> names is not there,
/// whatever the machine can do: for tests, and to find out whether a capability is the cause of a trouble.
/// Immutable and thread-safe.
/// </remarks>
public sealed class MachineCapabilities
{
    private static readonly Lazy<MachineCapabilities> s_current = new(Probe);

    private readonly MachineCapability[] _byCapability;

    internal MachineCapabilities(IReadOnlyList<MachineCapability> items, string hugePages)
    {
        Items = items;
        HugePages = hugePages;
        _byCapability = [
            .. items.Where(item => item.Capability is not null).OrderBy(item => item.Capability)];
    }

    /// <summary>The capabilities of this process, probed at the first use.</summary>
    /// <exception cref="SnapshotException">Unsupported: SNAPSHOT_PRETEND names something unknown.</exception>
    public static MachineCapabilities Current => s_current.Value;

    /// <summary>Every finding, for people: capabilities, and facts beside them.</summary>
    public IReadOnlyList<MachineCapability> Items { get; }

    /// <summary>
    /// The system's setting for huge pages: "always", "madvise", "never", or "unavailable".
    /// </summary>
    internal string HugePages { get; }

    /// <summary>Whether Snapshot can use it here.</summary>
    /// <param name="capability">What is asked for.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such capability.</exception>
    internal bool this[Capability capability] => Of(capability).Available;

    /// <summary>The finding about one capability.</summary>
    /// <param name="capability">What is asked for.</param>
    /// <returns>Its line of the table.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such capability.</exception>
    internal MachineCapability Of(Capability capability) => Enum.IsDefined(capability)
        ? _byCapability[(int)capability]
        : throw new ArgumentOutOfRangeException(nameof(capability), capability, "not a capability");

    /// <summary>
    /// Probes anew. Opens and maps what it needs and leaves nothing behind; a missing capability is a
    /// finding, not an exception.
    /// </summary>
    /// <returns>What was found.</returns>
    /// <exception cref="SnapshotException">Unsupported: SNAPSHOT_PRETEND names something unknown.</exception>
    internal static MachineCapabilities Probe() => CapabilityProbe.Run(Pretences.OfEnvironment());

    /// <summary>This machine less some capabilities and all that needs them.</summary>
    internal static MachineCapabilities Without(params Capability[] taken) =>
        CapabilityProbe.Run(taken.ToHashSet());

    /// <summary>Refuses a machine on which nothing of Snapshot can work.</summary>
    /// <exception cref="SnapshotException">Unsupported: the page size is not 4096.</exception>
    internal void ThrowIfUnsupported()
    {
        if (this[Capability.SmallPages]) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            $"Snapshot tracks and stores pages of {Pages.Size} bytes, and this machine's are others " +
            $"({Of(Capability.SmallPages).Detail}). Use a kernel with pages of 4 KiB.");
    }

    /// <summary>The findings about some capabilities in one line, with what would change them.</summary>
    internal string Describe(params Capability[] capabilities)
    {
        string found = string.Join("; ", capabilities.Select(capability => Of(capability).ToString()));
        IEnumerable<string> remedies =
            capabilities.Select(capability => Of(capability).Remedy).Where(text => text.Length > 0)
                .Distinct();
        return string.Join(" ", [$"{found}.", .. remedies]);
    }
}
