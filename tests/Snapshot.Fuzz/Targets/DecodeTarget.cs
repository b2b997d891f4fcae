using System.IO.Hashing;
using K4os.Compression.LZ4;
using Snapshot.Interop;

namespace Snapshot.Fuzz.Targets;

/// <summary>
/// The C part's own LZ4 and XXH3, beside K4os.Compression.LZ4 and System.IO.Hashing: the input is the stored
/// bytes of a block, behind a byte that tells how many pages it has.
/// </summary>
internal sealed unsafe class DecodeTarget : FuzzTarget
{
    private const byte Guard = 0xA5;
    private const int GuardBytes = 64, PagesMost = 4, Lz4 = 1;
    private const int PageBytes = 4096;

    /// <summary>The C part has the long variant of XXH3 alone.</summary>
    private const int HashedLeast = 241;

    internal DecodeTarget() : base("decode") => Native.Require();

    protected override byte[][] Expand(byte[] input) => [input];

    protected override void Read(byte[][] files)
    {
        byte[] input = files[0];
        if (input.Length < 2) return;
        int bytes = (input[0] % PagesMost + 1) * PageBytes;
        byte[] stored = input[1..];
        (int errno, byte[] decoded) = Decode(stored, bytes);
        byte[] other = new byte[bytes];
        bool isAccepted = LZ4Codec.Decode(stored, other) == bytes;
        Require(errno != 0 || isAccepted, "what K4os refuses is refused");
        Require(errno != 0 || decoded.AsSpan().SequenceEqual(other), "both decode to the same");
        if (stored.Length < HashedLeast) return;
        ulong checksum;
        fixed (byte* from = stored)
            Require(
                Native.sn_block_checksum(from, (ulong)stored.Length, &checksum) == 0, "a checksum is told");
        Require(checksum == XxHash3.HashToUInt64(stored), "both have the same checksum");
    }

    /// <summary>Decodes between guards.</summary>
    private static (int Errno, byte[] Decoded) Decode(byte[] stored, int bytes)
    {
        byte[] target = new byte[bytes + 2 * GuardBytes], between = new byte[bytes + 2 * GuardBytes];
        target.AsSpan().Fill(Guard);
        int errno;
        fixed (byte* from = stored)
        fixed (byte* to = target)
        fixed (byte* over = between)
        {
            errno = Native.sn_block_decode(
                from, (ulong)stored.Length, Lz4, 0, to + GuardBytes, over + GuardBytes, (ulong)bytes);
        }

        ReadOnlySpan<byte> all = target;
        Require(
            !all[..GuardBytes].ContainsAnyExcept(Guard) && !all[^GuardBytes..].ContainsAnyExcept(Guard),
            "nothing is written outside");
        return (errno, target[GuardBytes..^GuardBytes]);
    }
}
