using System.Globalization;

namespace Snapshot.Storage;

/// <summary>The names of the files of a store.</summary>
internal static class ImageFileName
{
    internal const string Suffix = ".snapshot";
    internal const string PartialSuffix = ".partial";

    /// <summary>
    /// Of complete images that no manifest lists; a number follows where the name is taken.
    /// </summary>
    internal const string AsideSuffix = ".aside";

    internal static string Of(long generation, int revision)
    {
        string number = generation.ToString("D10", CultureInfo.InvariantCulture);
        return revision == 0
            ? $"{number}{Suffix}"
            : string.Create(CultureInfo.InvariantCulture, $"{number}-{revision}{Suffix}");
    }

    /// <summary>
    /// Whether a store gives such a name to an image: ten digits or more, perhaps a revision.
    /// </summary>
    internal static bool IsImage(string name) => TryParse(name, out _, out _);

    /// <summary>Whether it is a file that a store was writing.</summary>
    internal static bool IsPartial(string name) =>
        IsPartialImage(name) || name == Manifest.FileName + PartialSuffix;

    /// <summary>Whether it is an image that a store was writing, or whose commit was cut off.</summary>
    internal static bool IsPartialImage(string name) =>
        name.EndsWith(PartialSuffix, StringComparison.Ordinal) && IsImage(name[..^PartialSuffix.Length]);

    /// <summary>Whether it is an image that was set aside.</summary>
    internal static bool IsAside(string name)
    {
        int at = name.LastIndexOf(AsideSuffix, StringComparison.Ordinal);
        return at > 0 && IsImage(name[..at]) &&
            name.AsSpan(at + AsideSuffix.Length).TrimStart("0123456789").IsEmpty;
    }

    /// <summary>A name for an image that is set aside, which no file has.</summary>
    internal static string Aside(string name, IEnumerable<string> taken)
    {
        string aside = Bare(name) + AsideSuffix;
        string free = aside;
        for (int i = 2; taken.Contains(free); i++) free = $"{aside}{i}";
        return free;
    }

    /// <summary>The generation and revision in the name of an image, whatever is appended to it.</summary>
    internal static (long Generation, int Revision) Parse(string name) =>
        TryParse(Bare(name), out long generation, out int revision)
            ? (generation, revision)
            : throw new ArgumentException($"'{name}' is not the name of an image", nameof(name));

    /// <summary>The name without what is appended to that of an image: set aside, or being written.</summary>
    internal static string Bare(string name) =>
        name[..(name.IndexOf(Suffix, StringComparison.Ordinal) + Suffix.Length)];

    private static bool TryParse(string name, out long generation, out int revision)
    {
        (generation, revision) = (0, 0);
        if (!name.EndsWith(Suffix, StringComparison.Ordinal)) return false;
        string[] parts = name[..^Suffix.Length].Split('-');
        return parts.Length <= 2 && parts[0].Length >= 10
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out generation)
            && (parts.Length == 1
                || int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out revision));
    }
}
