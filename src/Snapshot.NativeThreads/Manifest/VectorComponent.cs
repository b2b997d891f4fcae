namespace Snapshot.NativeThreads;

/// <summary>One part of the vector state, and where it is in what the kernel saves of a thread.</summary>
/// <param name="Index">Its bit in XCR0.</param>
/// <param name="Offset">From the beginning of the saved state, in bytes; processors differ in it.</param>
/// <param name="Size">In bytes.</param>
internal readonly record struct VectorComponent(int Index, uint Offset, uint Size)
{
    private static readonly string?[] s_names =
    [
        "x87", "sse", "avx", "mpx bounds", "mpx status", "avx512 masks", "avx512 upper halves",
        "avx512 upper registers", null, "protection keys", null, null, null, null, null, null, null,
        "amx configuration", "amx tiles", "apx",
    ];

    /// <summary>What is called so in messages.</summary>
    internal static string NameOf(int index) =>
        (index < s_names.Length ? s_names[index] : null) ?? $"component {index}";
}
