using System.Globalization;

namespace Snapshot.Tests.Session;

/// <summary>
/// A control group with a limit of memory, of version 1 or 2; removed at the end, when it is empty.
/// </summary>
internal sealed class MemoryGroup : IDisposable
{
    private readonly string _folder;

    /// <exception cref="IOException">None can be made here.</exception>
    internal MemoryGroup(long bytes)
    {
        const string first = "/sys/fs/cgroup/memory";
        bool isFirst = File.Exists($"{first}/cgroup.procs");
        string top = isFirst ? first : "/sys/fs/cgroup";
        _folder = $"{top}/snapshot-{Guid.NewGuid():N}";
        Directory.CreateDirectory(_folder);
        try
        {
            string file = Path.Combine(_folder, isFirst ? "memory.limit_in_bytes" : "memory.max");
            if (!File.Exists(file)) throw new IOException($"{file} is missing: no control of memory");
            File.WriteAllText(file, bytes.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A process that writes its number here is in it.</summary>
    internal string Processes => Path.Combine(_folder, "cgroup.procs");

    public void Dispose() => Directory.Delete(_folder);
}
