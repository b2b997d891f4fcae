namespace Snapshot.Packaging;

/// <summary>What a file of a package is.</summary>
/// <param name="Content">Its bytes; null for a link.</param>
/// <param name="Target">What a symbolic link points to; null for a file.</param>
/// <param name="IsExecutable">Whether it may be run.</param>
internal sealed record TreeEntry(byte[]? Content, string? Target, bool IsExecutable);

/// <summary>Files by their paths, such as usr/include/snapshot.h, in the order of these.</summary>
internal sealed class FileTree
{
    private readonly SortedDictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, TreeEntry> Entries => _entries;

    /// <summary>The folders above the entries, each before what is in it.</summary>
    internal IEnumerable<string> Folders =>
        _entries.Keys.SelectMany(Above).Distinct().Order(StringComparer.Ordinal);

    internal FileTree Add(string path, byte[] content, bool isExecutable = false)
    {
        _entries.Add(path, new TreeEntry(content, null, isExecutable));
        return this;
    }

    internal FileTree Link(string path, string target)
    {
        _entries.Add(path, new TreeEntry(null, target, false));
        return this;
    }

    /// <summary>The files of a folder and of those below it.</summary>
    internal FileTree AddFolder(string path, string folder, params string[] extensions)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => extensions.Contains(Path.GetExtension(file)))
            .Where(file => !file.Contains("__pycache__", StringComparison.Ordinal)))
            Add($"{path}/{Path.GetRelativePath(folder, file)}", File.ReadAllBytes(file));
        return this;
    }

    private static IEnumerable<string> Above(string path)
    {
        for (int at = path.IndexOf('/', StringComparison.Ordinal); at >= 0; at = path.IndexOf('/', at + 1))
            yield return path[..at];
    }
}
