using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Snapshot.Packaging;

/// <summary>Archives that have the same bytes whenever they are made of the same files.</summary>
internal static class Archive
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.OtherRead;

    private const UnixFileMode Runs = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
        | UnixFileMode.OtherExecute;

    /// <summary>Of every entry; no zip archive has an earlier one.</summary>
    internal static DateTimeOffset Time { get; } = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A compressed tar archive of a tree.</summary>
    /// <param name="tree">The files.</param>
    /// <param name="top">Before each path, such as ./ or the name of a folder with a slash.</param>
    internal static byte[] TarGz(FileTree tree, string top)
    {
        using MemoryStream bytes = new();
        using (GZipStream gzip = new(bytes, CompressionLevel.SmallestSize))
        using (TarWriter tar = new(gzip, TarEntryFormat.Ustar))
        {
            foreach (string folder in tree.Folders)
                tar.WriteEntry(Entry(TarEntryType.Directory, $"{top}{folder}/", Runs));
            foreach ((string path, TreeEntry file) in tree.Entries)
            {
                UstarTarEntry entry = file.Target is null
                    ? Entry(TarEntryType.RegularFile, top + path, file.IsExecutable ? Runs : Plain)
                    : Entry(TarEntryType.SymbolicLink, top + path, Runs);
                if (file.Target is not null) entry.LinkName = file.Target;
                else entry.DataStream = new MemoryStream(file.Content!);
                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>
    /// An archive of ar, as a package of Debian is one: names of at most 16 letters, in order.
    /// </summary>
    internal static byte[] Ar(params (string Name, byte[] Content)[] members)
    {
        using MemoryStream bytes = new();
        bytes.Write("!<arch>\n"u8);
        foreach ((string name, byte[] content) in members)
        {
            bytes.Write(Encoding.ASCII.GetBytes(
                $"{name,-16}{Time.ToUnixTimeSeconds(),-12}{0,-6}{0,-6}{"100644",-8}{content.Length,-10}`\n"));
            bytes.Write(content);
            if (content.Length % 2 != 0) bytes.WriteByte((byte)'\n');
        }

        return bytes.ToArray();
    }

    internal static byte[] Zip(FileTree tree)
    {
        using MemoryStream bytes = new();
        using (ZipArchive zip = new(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string path, TreeEntry file) in tree.Entries)
            {
                ZipArchiveEntry entry = zip.CreateEntry(path, CompressionLevel.SmallestSize);
                entry.LastWriteTime = Time;
                entry.ExternalAttributes = (int)(0x8000 | (uint)Plain) << 16;
                using Stream content = entry.Open();
                content.Write(file.Content!);
            }
        }

        return bytes.ToArray();
    }

    private static UstarTarEntry Entry(TarEntryType type, string path, UnixFileMode mode) => new(type, path)
    {
        Mode = mode,
        ModificationTime = Time,
        UserName = "root",
        GroupName = "root",
    };
}
