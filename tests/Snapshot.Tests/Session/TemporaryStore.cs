namespace Snapshot.Tests.Session;

/// <summary>A directory for one test's store, deleted afterwards.</summary>
internal sealed class TemporaryStore : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("snapshot-test-");

    internal string Path => System.IO.Path.Combine(_root.FullName, "store");

    internal string File(string name) => System.IO.Path.Combine(_root.FullName, name);

    public void Dispose() => _root.Delete(recursive: true);
}
