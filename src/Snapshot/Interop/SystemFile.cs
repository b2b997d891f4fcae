using System.Globalization;

namespace Snapshot.Interop;

/// <summary>Files of /proc and /sys.</summary>
internal static class SystemFile
{
    /// <summary>A file's text without its last newline, or null where it is absent or unreadable.</summary>
    internal static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The number of a line "LABEL   1024 kB", in bytes; null where it is another line.</summary>
    internal static long? Kilobytes(string line, string label)
    {
        if (!line.StartsWith(label, StringComparison.Ordinal)) return null;
        string? number =
            line[label.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes)
            ? kilobytes << 10
            : null;
    }

    /// <summary>The number of the first line with a label, in bytes; null where there is none.</summary>
    internal static long? FirstKilobytes(string text, string label) =>
        text.Split('\n').Select(line => Kilobytes(line, label)).FirstOrDefault(bytes => bytes is not null);

    /// <summary>The number in a file, or null where there is none.</summary>
    internal static long? Number(string path) =>
        long.TryParse(
            Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}
