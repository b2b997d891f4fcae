using System.Runtime.Intrinsics;

namespace Snapshot.Image;

/// <summary>
/// Replaces each element by its difference to the one before, both taken as unsigned integers, modulo their
/// size; the first stays. Neighbouring values of a smooth field have the same sign and exponent and close
/// mantissas, so the high bytes of the differences are all zeros or all ones.
/// </summary>
internal static unsafe class ElementDifference
{
    internal static bool IsElementSize(int size) => size is 4 or 8;

    /// <summary>Whole pages; the memory does not overlap.</summary>
    internal static void Take(byte* source, byte* target, int length, int elementSize)
    {
        if (elementSize == 8) Take((ulong*)source, (ulong*)target, length / 8);
        else Take((uint*)source, (uint*)target, length / 4);
    }

    /// <summary>In place.</summary>
    internal static void Undo(byte* bytes, int length, int elementSize)
    {
        if (elementSize == 8)
        {
            ulong* elements = (ulong*)bytes;
            ulong value = 0;
            for (int i = 0; i < length / 8; i++) elements[i] = value += elements[i];
        }
        else
        {
            uint* elements = (uint*)bytes;
            uint value = 0;
            for (int i = 0; i < length / 4; i++) elements[i] = value += elements[i];
        }
    }

    private static void Take(ulong* source, ulong* target, int count)
    {
        target[0] = source[0];
        int i = 1;
        for (; i <= count - Vector256<ulong>.Count; i += Vector256<ulong>.Count)
            (Vector256.Load(source + i) - Vector256.Load(source + i - 1)).Store(target + i);
        for (; i < count; i++) target[i] = source[i] - source[i - 1];
    }

    private static void Take(uint* source, uint* target, int count)
    {
        target[0] = source[0];
        int i = 1;
        for (; i <= count - Vector256<uint>.Count; i += Vector256<uint>.Count)
            (Vector256.Load(source + i) - Vector256.Load(source + i - 1)).Store(target + i);
        for (; i < count; i++) target[i] = source[i] - source[i - 1];
    }
}
