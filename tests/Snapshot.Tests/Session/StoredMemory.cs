namespace Snapshot.Tests.Session;

/// <summary>Reads the memory of a region as a generation has it, without mapping it.</summary>
internal static class StoredMemory
{
    /// <summary>All committed pages of an arena, or all bytes of a buffer.</summary>
    internal static byte[] Read(SnapshotStore store, long generation, string region)
    {
        using StoredRegion memory = store.OpenRegion(generation, region);
        byte[] content = new byte[memory.Length];
        memory.Read(0, content);
        return content;
    }
}
