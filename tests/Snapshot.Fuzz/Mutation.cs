using System.Buffers.Binary;

namespace Snapshot.Fuzz;

/// <summary>
/// Changes inputs at random from a seed: what a fuzzer does that does not look at coverage.
/// </summary>
internal sealed class Mutation(int seed)
{
    private static readonly ulong[] s_extremes =
    [
        0, 1, 2, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 1UL << 21, int.MaxValue,
        1UL << 31,
        uint.MaxValue, 1UL << 32, 1UL << 47, 1UL << 60, long.MaxValue, 1UL << 63, ulong.MaxValue,
    ];

    private readonly Random _random = new(seed);

    /// <summary>One of the inputs, changed in one to six places.</summary>
    internal byte[] Next(IReadOnlyList<byte[]> inputs)
    {
        List<byte> bytes = [.. inputs[_random.Next(inputs.Count)]];
        for (int changes = _random.Next(1, 7); changes > 0; changes--)
        {
            if (bytes.Count == 0) bytes.Add(0);
            Change(bytes, inputs);
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, IReadOnlyList<byte[]> inputs)
    {
        int at = _random.Next(bytes.Count);
        switch (_random.Next(8))
        {
            case 0:
                bytes.RemoveRange(at, Math.Min(_random.Next(1, 64), bytes.Count - at));
                break;
            case 1:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(_random.Next(1, 64), bytes.Count - at)));
                break;
            case 2:
                byte[] other = inputs[_random.Next(inputs.Count)];
                int length = Math.Min(Math.Min(_random.Next(1, 128), other.Length), bytes.Count - at);
                int from = _random.Next(other.Length - length + 1);
                for (int i = 0; i < length; i++) bytes[at + i] = other[from + i];
                break;
            case 3 or 4:
                PutExtreme(bytes, at);
                break;
            case 5:
                bytes[at] = (byte)(bytes[at] + _random.Next(-4, 5));
                break;
            default:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
        }
    }

    private void PutExtreme(List<byte> bytes, int at)
    {
        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(value, s_extremes[_random.Next(s_extremes.Length)]);
        int width = 1 << _random.Next(4);
        for (int i = 0; i < width && at + i < bytes.Count; i++) bytes[at + i] = value[i];
    }
}
