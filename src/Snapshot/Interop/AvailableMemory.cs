namespace Snapshot.Interop;

/// <summary>How much more native memory this process can have, and what says so.</summary>
/// <remarks>
/// Not what the collector says (<see cref="GC.GetGCMemoryInfo()"/>): its limit is one of the managed heap,
/// and may be small on purpose. Each source is looked at as it is now; one that cannot be read limits
/// nothing.
/// </remarks>
/// <param name="Bytes">Never negative.</param>
/// <param name="Source">In the words of the one who can change it.</param>
/// <param name="IsReserved">Whether a reservation counts against it that is not used.</param>
internal readonly record struct AvailableMemory(long Bytes, string Source, bool IsReserved = false)
{
    private const string NeverOvercommit = "2";

    /// <summary>
    /// What copies of pages may take of it: half. Of what is used up by reserving it a quarter, for arenas
    /// come later.
    /// </summary>
    internal long ForCopies => Bytes / (IsReserved ? 4 : 2);

    /// <summary>The least of all limits.</summary>
    internal static AvailableMemory Now() => Least("/");

    /// <param name="root">Where <c>proc</c> and <c>sys</c> are; "/" but in tests.</param>
    internal static AvailableMemory Least(string root)
    {
        AvailableMemory least = new(long.MaxValue, "nothing that can be read");
        foreach (AvailableMemory limit in All(root))
        {
            if (limit.Bytes < least.Bytes) least = limit;
        }

        return least;
    }

    private static IEnumerable<AvailableMemory> All(string root)
    {
        string memory = Read(root, "proc/meminfo");
        if (SystemFile.FirstKilobytes(memory, "MemAvailable:") is { } free)
            yield return new(free, "MemAvailable of the machine");
        if (Read(root, "proc/sys/vm/overcommit_memory").Trim() == NeverOvercommit
            && Left(
                SystemFile.FirstKilobytes(memory, "CommitLimit:"),
                SystemFile.FirstKilobytes(memory, "Committed_AS:")) is { } commit)
            yield return new(commit, "the commit limit (vm.overcommit_memory=2)", true);

        string limits = Read(root, "proc/self/limits");
        string status = Read(root, "proc/self/status");
        if (AddressSpaceLimit.Now(root) is { } space)
            yield return new(space.Left, AddressSpaceLimit.Source, true);
        if (Left(
            ResourceLimit.SoftOf(limits, ResourceLimit.DataSize),
            SystemFile.FirstKilobytes(status, "VmData:")) is { } data)
            yield return new(data, "the limit of data (ulimit -d)", true);
        foreach (AvailableMemory group in ControlGroups.Of(root)) yield return group;
    }

    /// <summary>What is left of a limit; null where there is none.</summary>
    internal static long? Left(long? limit, long? used) =>
        limit is null or long.MaxValue ? null : Math.Max(0, limit.Value - (used ?? 0));

    /// <summary>A file's text; empty where it is absent or unreadable.</summary>
    internal static string Read(string root, string path) => SystemFile.Text(Path.Combine(root, path)) ?? "";
}
