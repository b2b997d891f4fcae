using System.IO.Hashing;
using System.Text;

namespace Snapshot.Tests.Faults;

/// <summary>One state that a power cut may leave.</summary>
/// <param name="found">
/// Files with their content, and directories without; a directory before what is in it.
/// </param>
internal sealed class CrashState(List<(string Path, ReadOnlyMemory<byte>? Content)> found)
{
    internal UInt128 Hash(int acknowledged)
    {
        XxHash128 hash = new();
        hash.Append(BitConverter.GetBytes(acknowledged));
        found.Sort((one, other) => string.CompareOrdinal(one.Path, other.Path));
        foreach ((string path, ReadOnlyMemory<byte>? content) in found)
        {
            hash.Append(Encoding.UTF8.GetBytes(path));
            hash.Append(BitConverter.GetBytes(content?.Length ?? -1));
            if (content is { } bytes) hash.Append(bytes.Span);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    internal void WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach ((string path, ReadOnlyMemory<byte>? content) in found)
        {
            string full = Path.Combine(folder, path);
            if (content is { } bytes) File.WriteAllBytes(full, bytes.Span);
            else Directory.CreateDirectory(full);
        }
    }
}
