using System.Globalization;

namespace Snapshot.Interop;

/// <summary>
/// What is shown beside the capabilities: the kernel, and limits of the machine and of this process.
/// </summary>
internal static class MachineFacts
{
    private const string Unreadable = "cannot be read";

    internal static MachineCapability Kernel() =>
        new("kernel", true, SystemFile.Text("/proc/sys/kernel/osrelease") ?? Unreadable);

    internal static IEnumerable<MachineCapability> Limits()
    {
        yield return Number("vm.max_map_count", SystemFile.Number("/proc/sys/vm/max_map_count"));
        yield return Overcommit(SystemFile.Number("/proc/sys/vm/overcommit_memory"));
        string limits = SystemFile.Text("/proc/self/limits") ?? "";
        yield return Limit(
            "address space (ulimit -v)", ResourceLimit.SoftOf(limits, ResourceLimit.AddressSpace));
        yield return Limit(
            "locked memory (ulimit -l)", ResourceLimit.SoftOf(limits, ResourceLimit.LockedMemory));
        AvailableMemory memory = AvailableMemory.Now();
        yield return new MachineCapability(
            "available memory", memory.Bytes > 0, $"{Invariant(memory.Bytes)} bytes, by {memory.Source}",
            consequence: "Nothing is left for copies of changed pages.",
            remedy: $"Raise what limits it: {memory.Source}.");
    }

    private static MachineCapability Overcommit(long? policy) => new(
        "vm.overcommit_memory", policy is 0 or 1,
        policy switch
        {
            0 => "0 (heuristic)",
            1 => "1 (always)",
            2 => "2 (never)",
            _ => Unreadable,
        },
        consequence: policy == 2
            ? "Memory of arenas counts against the commit limit when it is committed." : "",
        remedy: policy == 2 ? "'sysctl -w vm.overcommit_memory=0', or a higher vm.overcommit_ratio." : "");

    private static MachineCapability Number(string name, long? number) =>
        new(name, number is not null, number is { } value ? Invariant(value) : Unreadable);

    private static MachineCapability Limit(string name, long? bytes) => new(
        name, bytes is not null,
        bytes switch
        {
            null => Unreadable,
            long.MaxValue => "unlimited",
            { } value => $"{Invariant(value)} bytes",
        });

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
