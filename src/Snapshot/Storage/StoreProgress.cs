namespace Snapshot;

/// <summary>How far long work on a store is.</summary>
public readonly struct StoreProgress
{
    internal StoreProgress(long generation, long bytesDone, long bytesTotal)
    {
        Generation = generation;
        BytesDone = bytesDone;
        BytesTotal = bytesTotal;
    }

    /// <summary>The generation it is at.</summary>
    public long Generation { get; }

    /// <summary>Bytes done so far, of all generations concerned.</summary>
    public long BytesDone { get; }

    /// <summary>Bytes to do.</summary>
    public long BytesTotal { get; }
}
