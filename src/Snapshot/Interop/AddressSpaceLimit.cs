namespace Snapshot.Interop;

/// <summary>
/// The limit of this process's address space (RLIMIT_AS): what is merely reserved counts, too.
/// </summary>
/// <param name="Bytes">The limit.</param>
/// <param name="Used">What counts against it now.</param>
internal readonly record struct AddressSpaceLimit(long Bytes, long Used)
{
    /// <summary>In the words of the one who can change it.</summary>
    internal const string Source = "the limit of address space (ulimit -v)";

    internal long Left => Math.Max(0, Bytes - Used);

    /// <summary>As it is now; null where there is none or nobody can tell.</summary>
    /// <param name="root">Where <c>proc</c> is; "/" but in tests.</param>
    internal static AddressSpaceLimit? Now(string root = "/")
    {
        string limits = SystemFile.Text(Path.Combine(root, "proc/self/limits")) ?? "";
        long? soft = ResourceLimit.SoftOf(limits, ResourceLimit.AddressSpace);
        if (soft is not { } bytes || bytes == long.MaxValue) return null;
        string status = SystemFile.Text(Path.Combine(root, "proc/self/status")) ?? "";
        return new AddressSpaceLimit(bytes, SystemFile.FirstKilobytes(status, "VmSize:") ?? 0);
    }

    /// <summary>Advice that ends with the limit, and what it is where there is one.</summary>
    internal static string With(string advice) => Now() is { } limit
        ? $"{advice} That limit is {limit.Bytes:N0} bytes, and {limit.Used:N0} of them are in use."
        : advice;
}
