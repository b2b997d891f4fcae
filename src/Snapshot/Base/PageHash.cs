using System.IO.Hashing;

namespace Snapshot.Base;

/// <summary>
/// The hash by which the content of a page is known: XXH3-128 with seed 0. Not cryptographic; two different contents
/// that nobody constructed collide with a probability of 2^-128.
/// </summary>
/// <remarks>In memory its low half is first, as in the C part and in the format (docs/FORMAT.md).</remarks>
internal static class PageHash
{
    /// <summary>The hash of a page of zeros.</summary>
    internal static readonly UInt128 Zeros = Of(new byte[Pages.Size]);

    /// <summary>Never 0, which stands for unknown.</summary>
    /// <param name="page">All of it.</param>
    internal static UInt128 Of(ReadOnlySpan<byte> page)
    {
        UInt128 hash = XxHash128.HashToUInt128(page);
        return hash == UInt128.Zero ? UInt128.One : hash;
    }
}
