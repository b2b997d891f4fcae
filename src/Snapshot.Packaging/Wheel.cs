using System.Security.Cryptography;
using System.Text;

namespace Snapshot.Packaging;

/// <summary>
/// A wheel of Python, as the binary distribution format describes it: files, and a list of them.
/// </summary>
internal static class Wheel
{
    /// <summary>glibc 2.34 and newer, any Python 3.</summary>
    internal const string Tag = "py3-none-manylinux_2_34_x86_64";

    internal static byte[] ToBytes(string version, string readme, FileTree package)
    {
        string folder = $"snapshot-{version}.dist-info";
        FileTree files = new();
        foreach ((string path, TreeEntry file) in package.Entries) files.Add(path, file.Content!);
        files.Add(
            $"{folder}/METADATA",
            Encoding.UTF8.GetBytes(
                $"""
                Metadata-Version: 2.1
                Name: snapshot
                Version: {version}
                Summary: Checkpoint and restart of HPC codes by memory image
                Requires-Python: >=3.8
                Requires-Dist: numpy
                Description-Content-Type: text/markdown

                {readme}
                """));
        files.Add(
            $"{folder}/WHEEL",
            Encoding.UTF8.GetBytes(
                $"Wheel-Version: 1.0\nGenerator: Snapshot\nRoot-Is-Purelib: false\nTag: {Tag}\n"));
        string record = string.Concat(files.Entries.Select(
            entry => $"{entry.Key},sha256={Digest(entry.Value.Content!)},{entry.Value.Content!.Length}\n"));
        files.Add($"{folder}/RECORD", Encoding.UTF8.GetBytes($"{record}{folder}/RECORD,,\n"));
        return Archive.Zip(files);
    }

    private static string Digest(byte[] content) =>
        Convert.ToBase64String(SHA256.HashData(content)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
