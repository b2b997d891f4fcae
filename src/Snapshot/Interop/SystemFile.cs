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

    /// <summary>The number in a file, or null where there is none.</summary>
    internal static long? Number(string path) =>
        long.TryParse(Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}
