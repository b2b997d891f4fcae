namespace Snapshot.NativeThreads;

/// <summary>
/// The fixed addresses at which native modules are linked: 128 bases, 16 GiB apart, one module each.
/// </summary>
/// <remarks>snapshot-cc, which links them, computes the same addresses.</remarks>
internal static class NativeModuleBase
{
    internal const int Count = 128;
    internal const ulong Size = 0x4_0000_0000;
    internal const ulong First = 0x1800_0000_0000;

    /// <summary>The base that is at an address, or null.</summary>
    internal static int? At(ulong address)
    {
        ulong distance = address - First;
        return distance % Size == 0 && distance / Size < Count ? (int)(distance / Size) : null;
    }

    internal static ulong AddressOf(int number) => First + (ulong)number * Size;
}
