namespace Snapshot.Bench;

/// <summary>
/// A fresh folder in the directory to measure; deleted on disposal, and when the program is interrupted.
/// </summary>
internal sealed class StoreFolder : IDisposable
{
    private static int s_count;

    private readonly Action _delete;

    /// <exception cref="IOException">The directory cannot be written to.</exception>
    internal StoreFolder(string directory)
    {
        int number = Interlocked.Increment(ref s_count);
        Path = System.IO.Path.Combine(directory, $"snapshot-bench-{Environment.ProcessId}-{number}");
        _delete = Delete;
        Interruption.Register(_delete);
        Directory.CreateDirectory(Path);
    }

    /// <summary>
    /// For a store of one generation, in which nothing but what is measured is written: no compaction, and no
    /// page that did not change.
    /// </summary>
    internal static StoreOptions NewestOnly => new()
    {
        Retention = new RetentionPolicy { KeepLast = 1 },
        ChainLengthMax = int.MaxValue,
        MaxStateMultiple = 1000,
    };

    internal string Path { get; }

    /// <summary>Bytes of the files in it. The session may delete some meanwhile.</summary>
    internal long Bytes => new DirectoryInfo(Path).EnumerateFiles("*", SearchOption.AllDirectories)
        .Sum(file => file.Exists ? file.Length : 0); // one look for both

    public void Dispose()
    {
        Interruption.Forget(_delete);
        Delete();
    }

    private void Delete()
    {
        // On an interruption a drain may still be making files here; it cannot go on for long without the
        // folder.
        for (int attempt = 0; Directory.Exists(Path); attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (attempt < 100)
            {
                Thread.Yield();
            }
        }
    }
}
