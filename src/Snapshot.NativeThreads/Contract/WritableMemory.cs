namespace Snapshot.NativeThreads;

/// <summary>
/// What of a module is captured: what is writable, without what the dynamic linker has written.
/// </summary>
internal static class WritableMemory
{
    /// <summary>The whole pages, as linked, in the order of the segments.</summary>
    internal static IReadOnlyList<AddressRange> Of(ElfImage module)
    {
        AddressRange written =
            module.Find(ElfSegmentType.ReadOnlyAfterRelocation)?.Memory.ProtectedPages() ?? default;
        return
        [
            .. module.Loaded.Where(segment => segment.IsWritable)
                .SelectMany(segment => segment.Memory.WholePages().Without(written)),
        ];
    }
}
