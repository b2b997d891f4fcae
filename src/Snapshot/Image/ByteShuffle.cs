using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Snapshot.Image;

/// <summary>
/// Groups bytes of equal significance: with n elements of e bytes, target[k * n + i] = source[i * e + k]. The
/// neighbouring values of a field share their high bytes, which LZ4 then finds (the shuffle filter of HDF5
/// and Blosc).
/// </summary>
/// <remarks>
/// The vectors of 16 elements are transposed by rounds of a perfect shuffle: interleaving the first half of
/// the vectors with the second rotates the bits of every byte's address left by one. The address of a byte is
/// (element, byte): 4 + log2(e) bits; 4 rounds make it (byte, element), and log2(e) more rounds bring it
/// back. The methods are optimized at once: the first image of a process is a full one.
/// </remarks>
internal static unsafe class ByteShuffle
{
    private static bool CanInterleave => Sse2.IsSupported || AdvSimd.Arm64.IsSupported;

    /// <summary>The number of elements is a multiple of 16, which whole pages guarantee.</summary>
    internal static void Shuffle(byte* source, byte* target, int length, int elementSize)
    {
        if (!CanInterleave) ShuffleBytes(source, target, length, elementSize);
        else if (elementSize == 16) Shuffle16(source, target, length / 16);
        else if (elementSize == 8) Shuffle8(source, target, length / 8);
        else if (elementSize == 4) Shuffle4(source, target, length / 4);
        else Shuffle2(source, target, length / 2);
    }

    internal static void Unshuffle(byte* source, byte* target, int length, int elementSize)
    {
        if (!CanInterleave) UnshuffleBytes(source, target, length, elementSize);
        else if (elementSize == 16) Unshuffle16(source, target, length / 16);
        else if (elementSize == 8) Unshuffle8(source, target, length / 8);
        else if (elementSize == 4) Unshuffle4(source, target, length / 4);
        else Unshuffle2(source, target, length / 2);
    }

    internal static void ShuffleBytes(byte* source, byte* target, int length, int elementSize)
    {
        int count = length / elementSize;
        for (int k = 0; k < elementSize; k++)
        {
            byte* from = source + k;
            byte* to = target + (long)k * count;
            for (int i = 0; i < count; i++) to[i] = from[i * elementSize];
        }
    }

    internal static void UnshuffleBytes(byte* source, byte* target, int length, int elementSize)
    {
        int count = length / elementSize;
        for (int k = 0; k < elementSize; k++)
        {
            byte* from = source + (long)k * count;
            byte* to = target + k;
            for (int i = 0; i < count; i++) to[i * elementSize] = from[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Low(Vector128<byte> left, Vector128<byte> right) =>
        Sse2.IsSupported ? Sse2.UnpackLow(left, right) : AdvSimd.Arm64.ZipLow(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> High(Vector128<byte> left, Vector128<byte> right) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(left, right) : AdvSimd.Arm64.ZipHigh(left, right);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shuffle8(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + (long)i * 8;
            var (a, b, c, d) =
                (Vector128.Load(at), Vector128.Load(at + 16), Vector128.Load(at + 32),
                    Vector128.Load(at + 48));
            var (e, f, g, h) =
                (Vector128.Load(at + 64), Vector128.Load(at + 80), Vector128.Load(at + 96),
                    Vector128.Load(at + 112));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));

            byte* to = target + i;
            a.Store(to);
            b.Store(to + count);
            c.Store(to + 2L * count);
            d.Store(to + 3L * count);
            e.Store(to + 4L * count);
            f.Store(to + 5L * count);
            g.Store(to + 6L * count);
            h.Store(to + 7L * count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unshuffle8(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + i;
            var (a, b) = (Vector128.Load(at), Vector128.Load(at + count));
            var (c, d) = (Vector128.Load(at + 2L * count), Vector128.Load(at + 3L * count));
            var (e, f) = (Vector128.Load(at + 4L * count), Vector128.Load(at + 5L * count));
            var (g, h) = (Vector128.Load(at + 6L * count), Vector128.Load(at + 7L * count));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));
            (a, b, c, d, e, f, g, h) =
                (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h), High(d, h));

            byte* to = target + (long)i * 8;
            a.Store(to);
            b.Store(to + 16);
            c.Store(to + 32);
            d.Store(to + 48);
            e.Store(to + 64);
            f.Store(to + 80);
            g.Store(to + 96);
            h.Store(to + 112);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shuffle4(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + (long)i * 4;
            var (a, b, c, d) =
                (Vector128.Load(at), Vector128.Load(at + 16), Vector128.Load(at + 32),
                    Vector128.Load(at + 48));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            byte* to = target + i;
            a.Store(to);
            b.Store(to + count);
            c.Store(to + 2L * count);
            d.Store(to + 3L * count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unshuffle4(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + i;
            var (a, b) = (Vector128.Load(at), Vector128.Load(at + count));
            var (c, d) = (Vector128.Load(at + 2L * count), Vector128.Load(at + 3L * count));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            (a, b, c, d) = (Low(a, c), High(a, c), Low(b, d), High(b, d));
            byte* to = target + (long)i * 4;
            a.Store(to);
            b.Store(to + 16);
            c.Store(to + 32);
            d.Store(to + 48);
        }
    }

    /// <summary>Two shuffles by 8: of the lower halves of the elements, and of the upper ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shuffle16(byte* source, byte* target, int count)
    {
        for (int half = 0; half < 2; half++)
        {
            for (int i = 0; i < count; i += 16)
            {
                ulong* at = (ulong*)(source + (long)i * 16) + half;
                var (a, b, c, d) = (Pair(at), Pair(at + 4), Pair(at + 8), Pair(at + 12));
                var (e, f, g, h) = (Pair(at + 16), Pair(at + 20), Pair(at + 24), Pair(at + 28));
                for (int round = 0; round < 4; round++)
                {
                    (a, b, c, d, e, f, g, h) =
                        (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h),
                            High(d, h));
                }

                byte* to = target + i + 8L * half * count;
                a.Store(to);
                b.Store(to + count);
                c.Store(to + 2L * count);
                d.Store(to + 3L * count);
                e.Store(to + 4L * count);
                f.Store(to + 5L * count);
                g.Store(to + 6L * count);
                h.Store(to + 7L * count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unshuffle16(byte* source, byte* target, int count)
    {
        for (int half = 0; half < 2; half++)
        {
            for (int i = 0; i < count; i += 16)
            {
                byte* at = source + i + 8L * half * count;
                var (a, b) = (Vector128.Load(at), Vector128.Load(at + count));
                var (c, d) = (Vector128.Load(at + 2L * count), Vector128.Load(at + 3L * count));
                var (e, f) = (Vector128.Load(at + 4L * count), Vector128.Load(at + 5L * count));
                var (g, h) = (Vector128.Load(at + 6L * count), Vector128.Load(at + 7L * count));
                for (int round = 0; round < 3; round++)
                {
                    (a, b, c, d, e, f, g, h) =
                        (Low(a, e), High(a, e), Low(b, f), High(b, f), Low(c, g), High(c, g), Low(d, h),
                            High(d, h));
                }

                ulong* to = (ulong*)(target + (long)i * 16) + half;
                StorePair(a, to);
                StorePair(b, to + 4);
                StorePair(c, to + 8);
                StorePair(d, to + 12);
                StorePair(e, to + 16);
                StorePair(f, to + 20);
                StorePair(g, to + 24);
                StorePair(h, to + 28);
            }
        }
    }

    /// <summary>The same half of two neighbouring elements of 16 bytes.</summary>
    private static Vector128<byte> Pair(ulong* at) => Vector128.Create(at[0], at[2]).AsByte();

    private static void StorePair(Vector128<byte> pair, ulong* to)
    {
        to[0] = pair.AsUInt64()[0];
        to[2] = pair.AsUInt64()[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shuffle2(byte* source, byte* target, int count)
    {
        Vector128<short> lowByte = Vector128.Create((short)0xFF);
        for (int i = 0; i < count; i += 16)
        {
            short* at = (short*)source + i;
            var (a, b) = (Vector128.Load(at), Vector128.Load(at + 8));
            Narrow(a & lowByte, b & lowByte).Store(target + i);
            Narrow(a >>> 8, b >>> 8).Store(target + count + i);
        }
    }

    /// <summary>The low bytes; the high ones are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Narrow(Vector128<short> left, Vector128<short> right) => Sse2.IsSupported
        ? Sse2.PackUnsignedSaturate(left, right)
        : AdvSimd.Arm64.UnzipEven(left.AsByte(), right.AsByte());

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Unshuffle2(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            var (a, b) = (Vector128.Load(source + i), Vector128.Load(source + count + i));
            Low(a, b).Store(target + 2L * i);
            High(a, b).Store(target + 2L * i + 16);
        }
    }
}
