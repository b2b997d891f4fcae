using System.Buffers.Binary;
using System.IO.Hashing;

namespace Snapshot.Base;

/// <summary>
/// The hash by which the content of a page is known: XXH3-128 with seed 0. Not cryptographic; two different
/// contents that nobody constructed collide with a probability of 2^-128.
/// </summary>
/// <remarks>
/// 16 bytes, the low half first, as in the C part and in the format (docs/FORMAT.md). No
/// <see cref="UInt128"/>, whose users cannot be compiled ahead: they ran unoptimized in the first image of a
/// process.
/// </remarks>
/// <param name="Low">Bits 0 to 63.</param>
/// <param name="High">Bits 64 to 127.</param>
internal readonly record struct PageHash(ulong Low, ulong High)
{
    /// <summary>The hash of a page of zeros.</summary>
    internal static readonly PageHash Zeros = Of(new byte[Pages.Size]);

    /// <summary>False for the default, which is the hash of no page.</summary>
    internal bool IsKnown => (Low | High) != 0;

    /// <param name="page">All of it.</param>
    internal static PageHash Of(ReadOnlySpan<byte> page)
    {
        Span<byte> bytes = stackalloc byte[16]; // the canonical form: the high half first, each big-endian
        _ = XxHash128.Hash(page, bytes);
        PageHash hash = new(
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt64BigEndian(bytes));
        return hash.IsKnown ? hash : new PageHash(1, 0);
    }

    /// <summary>Without the comparers of a record, which cost a call for each half.</summary>
    public bool Equals(PageHash other) => Low == other.Low && High == other.High;

    /// <inheritdoc/>
    public override int GetHashCode() => Low.GetHashCode();
}
