namespace Snapshot.Interop;

/// <summary>Whether the system gives huge pages.</summary>
internal static class HugePageSetting
{
    private const string Path = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// <summary>
    /// The setting in brackets, as in "always [madvise] never"; "unavailable" where there is none.
    /// </summary>
    internal static string Read()
    {
        string text = SystemFile.Text(Path) ?? "";
        int from = text.IndexOf('[', StringComparison.Ordinal);
        int to = text.IndexOf(']', StringComparison.Ordinal);
        return from >= 0 && to > from ? text[(from + 1)..to] : "unavailable";
    }

    internal static Finding Probe()
    {
        string setting = Read();
        return new Finding(setting is "always" or "madvise", setting);
    }
}
