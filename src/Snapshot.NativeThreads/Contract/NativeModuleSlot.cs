namespace Snapshot.NativeThreads;

/// <summary>The fixed addresses at which native modules are linked: 128 slots of 16 GiB, one module each.</summary>
/// <remarks>snapshot-cc, which links them, computes the same addresses.</remarks>
internal static class NativeModuleSlot
{
    internal const int Count = 128;
    internal const ulong Size = 0x4_0000_0000;
    internal const ulong First = 0x1800_0000_0000;

    /// <summary>The slot that begins at an address, or null.</summary>
    internal static int? At(ulong address)
    {
        ulong distance = address - First;
        return distance % Size == 0 && distance / Size < Count ? (int)(distance / Size) : null;
    }

    internal static ulong AddressOf(int slot) => First + (ulong)slot * Size;
}
