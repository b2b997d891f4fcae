using System.Globalization;
using System.Numerics;
using Snapshot.Memory;

namespace Snapshot.C;

/// <summary>
/// The layouts of elements that C programs may name. They are recorded as those of C# are, so that programs
/// of both find each other's arrays.
/// </summary>
internal static class ElementLayout
{
    private static readonly Dictionary<string, RootType> s_known = new()
    {
        ["i8"] = RootType.Of<sbyte>(),
        ["i16"] = RootType.Of<short>(),
        ["i32"] = RootType.Of<int>(),
        ["i64"] = RootType.Of<long>(),
        ["u8"] = RootType.Of<byte>(),
        ["u16"] = RootType.Of<ushort>(),
        ["u32"] = RootType.Of<uint>(),
        ["u64"] = RootType.Of<ulong>(),
        ["f32"] = RootType.Of<float>(),
        ["f64"] = RootType.Of<double>(),
        ["c64"] = new RootType("complex of float", "size 8\n0 4 Single real\n4 4 Single imaginary", 8),
        ["c128"] = RootType.Of<Complex>(),
    };

    /// <exception cref="ArgumentException">It is no layout.</exception>
    internal static RootType Parse(string text)
    {
        if (s_known.TryGetValue(text, out RootType known)) return known;
        string[] part = text.Split(':', 3);
        if (part is ["struct", var size, { Length: > 0 } name]
            && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) && bytes > 0
            && !name.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter)))
            return new RootType(text, $"size {bytes}\n0 {bytes} {name} value", bytes);
        throw new ArgumentException(
            $"'{text}' is no layout of an element: {string.Join(", ", s_known.Keys)}, or struct:SIZE:NAME, " +
            "whose size is in bytes and whose name has no blanks.");
    }
}
