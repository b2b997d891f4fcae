namespace Snapshot;

/// <summary>How far long work on a store is.</summary>
/// <param name="Generation">The generation it is at.</param>
/// <param name="BytesDone">Bytes done so far, of all generations concerned.</param>
/// <param name="BytesTotal">Bytes to do.</param>
public readonly record struct StoreProgress(long Generation, long BytesDone, long BytesTotal);
