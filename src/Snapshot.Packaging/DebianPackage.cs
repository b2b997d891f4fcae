using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Snapshot.Packaging;

/// <summary>A package of Debian, as deb(5) describes it.</summary>
/// <param name="Name">Such as libsnapshot0.</param>
/// <param name="Section">Of the archive, such as libs.</param>
/// <param name="Depends">Packages it needs.</param>
/// <param name="Summary">One line.</param>
/// <param name="Text">A paragraph.</param>
/// <param name="Files">What it installs, by paths below the root.</param>
internal sealed record DebianPackage(
    string Name, string Section, string Depends, string Summary, string Text, FileTree Files)
{
    /// <summary>Run by dpkg when the package was installed or removed: the cache of the loader.</summary>
    internal string? Trigger { get; init; }

    internal byte[] ToBytes(string version)
    {
        FileTree control = new FileTree()
            .Add("control", Encoding.UTF8.GetBytes(Control(version)))
            .Add("md5sums", Encoding.UTF8.GetBytes(Sums()));
        if (Trigger is not null) control.Add("triggers", Encoding.UTF8.GetBytes(Trigger));
        return Archive.Ar(
            ("debian-binary", "2.0\n"u8.ToArray()),
            ("control.tar.gz", Archive.TarGz(control, "./")),
            ("data.tar.gz", Archive.TarGz(Files, "./")));
    }

    private string Control(string version)
    {
        long kilobytes = Files.Entries.Values.Sum(file => ((file.Content?.Length ?? 0) + 1023) / 1024);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            Package: {Name}
            Version: {version}
            Architecture: amd64
            Maintainer: Snapshot
            Installed-Size: {kilobytes}
            Depends: {Depends}
            Section: {Section}
            Priority: optional
            Description: {Summary}
             {Text}

            """);
    }

    /// <summary>MD5 is what dpkg checks installed files by; nothing trusts it.</summary>
    private string Sums() => string.Concat(
        Files.Entries.Where(entry => entry.Value.Content is not null).Select(
            entry => $"{Md5(entry.Value.Content!)}  {entry.Key}\n"));

#pragma warning disable CA5351 // The format has no other.
    private static string Md5(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351
}
