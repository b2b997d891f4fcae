using System.Globalization;
using System.IO.Hashing;
using System.Text;
using KillDemo;
using Snapshot;

namespace NBody;

/// <summary>The results file: a line a step. Only who holds its mutex in the arena may use it.</summary>
internal sealed class ResultsFile : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Opens the file; a simulation that is not restarted begins it anew.</summary>
    internal ResultsFile(string path, bool isRestarted)
    {
        _file = new FileStream(path, isRestarted ? FileMode.Open : FileMode.Create, FileAccess.ReadWrite);
        _file.Seek(0, SeekOrigin.End);
    }

    internal void Append(Result result, Result first)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Step} {result.Kinetic:R} {result.Potential:R} {result.DriftFrom(first):E3}\n");
        _file.Write(Encoding.ASCII.GetBytes(line));
    }

    /// <summary>Makes all lines durable.</summary>
    /// <returns>Their length.</returns>
    internal long Flush()
    {
        DurableFile.Flush(_file);
        return _file.Length;
    }

    /// <summary>Cuts off what a lost generation has appended: it will be appended again.</summary>
    /// <exception cref="RunException">There is less than that.</exception>
    internal void CutBackTo(long length)
    {
        if (_file.Length < length)
        {
            throw new RunException(
                $"'{_file.Name}' has {_file.Length} bytes, fewer than the image's {length}: not the file " +
                "of this run.");
        }

        _file.SetLength(length);
        _file.Seek(0, SeekOrigin.End);
    }

    /// <summary>XXH64 of the whole file.</summary>
    internal string Checksum()
    {
        Flush();
        _file.Position = 0;
        XxHash64 hash = new();
        hash.Append(_file);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    public void Dispose() => _file.Dispose();
}
