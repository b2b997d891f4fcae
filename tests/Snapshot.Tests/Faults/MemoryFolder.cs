namespace Snapshot.Tests.Faults;

/// <summary>
/// A folder in memory where there is one, so that many stores can be made; deleted afterwards.
/// </summary>
internal sealed class MemoryFolder : IDisposable
{
    private const string SharedMemory = "/dev/shm";

    internal MemoryFolder()
    {
        string above = Directory.Exists(SharedMemory) ? SharedMemory : System.IO.Path.GetTempPath();
        Path = Directory.CreateDirectory(
            System.IO.Path.Combine(above, $"snapshot-faults-{Guid.NewGuid():N}")).FullName;
    }

    internal string Path { get; }

    internal string At(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
