using System.Globalization;

namespace Snapshot.Storage;

/// <summary>The names of the files of a store.</summary>
internal static class ImageFileName
{
    internal const string Suffix = ".snapshot";
    internal const string PartialSuffix = ".partial";

    internal static string Of(long generation, int revision)
    {
        string number = generation.ToString("D10", CultureInfo.InvariantCulture);
        return revision == 0
            ? $"{number}{Suffix}"
            : string.Create(CultureInfo.InvariantCulture, $"{number}-{revision}{Suffix}");
    }

    /// <summary>Whether a store gives such a name to an image: ten digits or more, perhaps a revision.</summary>
    internal static bool IsImage(string name)
    {
        if (!name.EndsWith(Suffix, StringComparison.Ordinal)) return false;
        string[] parts = name[..^Suffix.Length].Split('-');
        return parts.Length <= 2 && parts[0].Length >= 10 && parts.All(part =>
            part.Length > 0 && part.All(char.IsAsciiDigit));
    }

    /// <summary>Whether it is a file that a store was writing.</summary>
    internal static bool IsPartial(string name)
    {
        if (!name.EndsWith(PartialSuffix, StringComparison.Ordinal)) return false;
        string target = name[..^PartialSuffix.Length];
        return target == Manifest.FileName || IsImage(target);
    }
}
