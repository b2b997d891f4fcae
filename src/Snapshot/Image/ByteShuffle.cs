using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Snapshot.Image;

/// <summary>
/// Groups bytes of equal significance: with n elements of e bytes, target[k * n + i] = source[i * e + k]. The
/// neighbouring values of a field share their high bytes, which LZ4 then finds (the shuffle filter of HDF5 and
/// Blosc).
/// </summary>
/// <remarks>
/// The vectors of 16 elements are transposed by rounds of a perfect shuffle: interleaving the first half of the
/// vectors with the second rotates the bits of every byte's address left by one. The address of a byte is (element,
/// byte): 4 + log2(e) bits; 4 rounds make it (byte, element), and log2(e) more rounds bring it back.
/// </remarks>
internal static unsafe class ByteShuffle
{
    /// <summary>The number of elements is a multiple of 16, which whole pages guarantee.</summary>
    internal static void Shuffle(byte* source, byte* target, int length, int elementSize)
    {
        if (Sse2.IsSupported && elementSize == 8) Shuffle8(source, target, length / 8);
        else if (Sse2.IsSupported && elementSize == 4) Shuffle4(source, target, length / 4);
        else ShuffleBytes(source, target, length, elementSize);
    }

    internal static void Unshuffle(byte* source, byte* target, int length, int elementSize)
    {
        if (Sse2.IsSupported && elementSize == 8) Unshuffle8(source, target, length / 8);
        else if (Sse2.IsSupported && elementSize == 4) Unshuffle4(source, target, length / 4);
        else UnshuffleBytes(source, target, length, elementSize);
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

    private static Vector128<byte> Low(Vector128<byte> left, Vector128<byte> right) => Sse2.UnpackLow(left, right);

    private static Vector128<byte> High(Vector128<byte> left, Vector128<byte> right) => Sse2.UnpackHigh(left, right);

    private static void Shuffle8(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + (long)i * 8;
            var (a, b, c, d) =
                (Vector128.Load(at), Vector128.Load(at + 16), Vector128.Load(at + 32), Vector128.Load(at + 48));
            var (e, f, g, h) =
                (Vector128.Load(at + 64), Vector128.Load(at + 80), Vector128.Load(at + 96), Vector128.Load(at + 112));
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

    private static void Shuffle4(byte* source, byte* target, int count)
    {
        for (int i = 0; i < count; i += 16)
        {
            byte* at = source + (long)i * 4;
            var (a, b, c, d) =
                (Vector128.Load(at), Vector128.Load(at + 16), Vector128.Load(at + 32), Vector128.Load(at + 48));
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
}
