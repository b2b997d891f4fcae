using System.Globalization;

namespace Snapshot.Interop;

/// <summary>The limits of this process, from the text of /proc/self/limits.</summary>
internal static class ResourceLimit
{
    internal const string LockedMemory = "Max locked memory";
    internal const string AddressSpace = "Max address space";
    internal const string DataSize = "Max data size";

    /// <summary>
    /// The soft limit in the line "LABEL SOFT HARD bytes": <see cref="long.MaxValue"/> for unlimited, null
    /// when there is no such line.
    /// </summary>
    internal static long? SoftOf(string text, string label)
    {
        string? line =
            text.Split('\n').FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal));
        string? soft =
            line?[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        if (soft == "unlimited") return long.MaxValue;
        if (!ulong.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out ulong bytes))
            return null;
        return (long)Math.Min(bytes, long.MaxValue);
    }
}
