using System.IO.Hashing;
using CsCheck;
using K4os.Compression.LZ4;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Interop;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>
/// The C part reads blocks as the C# part does: the two implementations are held together here.
/// </summary>
public sealed unsafe class NativeDecodeTests
{
    private const int Encoded = 1;
    private const int ShuffledAndEncoded = 2;
    private const int DifferencesShuffledAndEncoded = 3;

    public NativeDecodeTests() => Native.Require();

    [Fact]
    public void Checksums_of_blocks_are_those_of_the_format() =>
        Gen.Select(Gen.Int[1, 64], Gen.Int).Sample((pages, seed) =>
        {
            byte[] bytes = Bytes(pages * Pages.Size, seed);
            ulong checksum;
            fixed (byte* pointer = bytes)
                Assert.Equal(0, Native.sn_block_checksum(pointer, (ulong)bytes.Length, &checksum));
            return checksum == XxHash3.HashToUInt64(bytes);
        }, iter: 200);

    [Fact]
    public void Hashes_of_pages_are_those_that_tracking_records()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            byte[] page = seed == 0 ? new byte[Pages.Size] : Bytes(Pages.Size, seed);
            using PageHashes hashes = new(3);
            fixed (byte* pointer = page)
                Assert.Equal(0, Native.sn_block_page_hash(pointer, (ulong*)hashes.AddressOf(1)));
            Assert.True(hashes.Matches(1, page, out _), $"seed {seed}");
            Assert.False(hashes.IsKnown(0) || hashes.IsKnown(2));
        }
    }

    [Theory]
    [InlineData(Encoded, 0)]
    [InlineData(ShuffledAndEncoded, 2)]
    [InlineData(ShuffledAndEncoded, 4)]
    [InlineData(ShuffledAndEncoded, 8)]
    [InlineData(ShuffledAndEncoded, 16)]
    [InlineData(DifferencesShuffledAndEncoded, 4)]
    [InlineData(DifferencesShuffledAndEncoded, 8)]
    public void Blocks_decode_to_what_was_encoded(int encoding, int elementSize)
    {
        for (int seed = 1; seed <= 100; seed++)
        {
            byte[] pages = Bytes(new Random(seed).Next(1, 65) * Pages.Size, seed);
            byte[] source = (byte[])pages.Clone();
            byte[] elements = (byte[])pages.Clone();
            if (encoding == DifferencesShuffledAndEncoded)
            {
                fixed (byte* from = pages)
                fixed (byte* to = elements) ElementDifference.Take(from, to, pages.Length, elementSize);
            }

            if (elementSize > 0)
            {
                fixed (byte* from = elements)
                fixed (byte* to = source) ByteShuffle.Shuffle(from, to, pages.Length, elementSize);
            }

            byte[] stored = new byte[LZ4Codec.MaximumOutputSize(source.Length)];
            int length = LZ4Codec.Encode(source, stored);
            (int errno, byte[] decoded) =
                Decode(stored.AsSpan(0, length), encoding, elementSize, pages.Length);
            Assert.Equal(0, errno);
            Assert.True(decoded.AsSpan().SequenceEqual(pages), $"element size {elementSize}, seed {seed}");
        }
    }

    [Fact]
    public void Damaged_blocks_are_refused_or_decode_within_their_bounds_as_the_other_decoder_does()
    {
        const int illegalSequence = 84;
        for (int seed = 1; seed <= 3000; seed++)
        {
            Random random = new(seed);
            byte[] pages = Bytes(random.Next(1, 5) * Pages.Size, seed);
            byte[] stored = new byte[LZ4Codec.MaximumOutputSize(pages.Length)];
            int length = LZ4Codec.Encode(pages, stored);
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                stored[random.Next(length)] ^= (byte)(1 << random.Next(8));
            length -= random.Next(3) == 0 ? random.Next(length) : 0;
            (int errno, byte[] decoded) =
                Decode(stored.AsSpan(0, length), Encoded, elementSize: 0, pages.Length);
            byte[] other = new byte[pages.Length];
            bool accepted = LZ4Codec.Decode(stored.AsSpan(0, length), other) == other.Length;
            Assert.True(errno is 0 or illegalSequence, $"errno {errno}, seed {seed}");
            Assert.False(
                errno == 0 && !accepted, $"what the other decoder refuses was accepted, seed {seed}");
            if (errno == 0)
                Assert.True(decoded.AsSpan().SequenceEqual(other), $"another content, seed {seed}");
        }
    }

    /// <summary>Decodes between two guards, which must stay as they are.</summary>
    private static (int Errno, byte[] Decoded) Decode(
        ReadOnlySpan<byte> stored, int encoding, int elementSize, int bytes)
    {
        const byte guard = 0xA5;
        byte[] exact = stored.ToArray();
        byte[] target = new byte[bytes + 128], between = new byte[bytes + 128];
        target.AsSpan().Fill(guard);
        between.AsSpan().Fill(guard);
        int errno;
        fixed (byte* from = exact)
        fixed (byte* to = target)
        fixed (byte* over = between)
        {
            errno = Native.sn_block_decode(
                from, (ulong)exact.Length, (uint)encoding, (uint)elementSize, to + 64, over + 64,
                (ulong)bytes);
        }

        foreach (byte[] buffer in (byte[][])[target, between])
        {
            Assert.False(buffer.AsSpan(0, 64).ContainsAnyExcept(guard));
            Assert.False(buffer.AsSpan(bytes + 64).ContainsAnyExcept(guard));
        }

        return (errno, target[64..(bytes + 64)]);
    }

    /// <summary>Noise, a smooth field, text with repetitions, or zeros with a few bytes in them.</summary>
    private static byte[] Bytes(int length, int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[length];
        switch (random.Next(4))
        {
            case 0:
                random.NextBytes(bytes);
                break;
            case 1:
                for (int i = 0; i < length / 8; i++)
                    BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), 1.0 + (i * 1e-6));
                break;
            case 2:
                int period = random.Next(1, 40);
                for (int i = 0; i < length; i++)
                    bytes[i] = (byte)(i % period * 7 + (random.Next(500) == 0 ? 1 : 0));
                break;
            default:
                for (int i = 0; i < 20; i++) bytes[random.Next(length)] = (byte)random.Next(256);
                break;
        }

        return bytes;
    }
}
