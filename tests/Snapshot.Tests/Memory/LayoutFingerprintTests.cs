using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Snapshot.Memory;
using Xunit;

#pragma warning disable CS0649 // Fields that only have a layout.

namespace Snapshot.Tests.Memory;

public sealed unsafe class LayoutFingerprintTests
{
    private enum Colour : short
    {
        Red,
    }

    private struct Vector
    {
        public double X, Y;
    }

    [InlineArray(3)]
    private struct Three
    {
        private Vector _first;
    }

    private struct Mixed
    {
        public byte Flag;
        public readonly bool Set;
        public Colour Colour;
        public char Letter;
        public float Weight;
        public Vector Position;
        public fixed int Cells[5];
        public Three Corners;
        public Vector* Next;
        public delegate*<int, void> Call;
        public nint Handle;
        public ArenaArray<Vector> Array;

        public Mixed(bool set) => Set = set;
    }

    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct Overlapping
    {
        [FieldOffset(8)] public long Whole;
        [FieldOffset(8)] public int Low;
        [FieldOffset(12)] public int High;
    }

    private struct Wide
    {
        public double A;
        public float B;
    }

    private struct Narrow
    {
        public double A;
        public double B;
    }

    private struct Less
    {
        public double A;
    }

    private struct Empty;

    [Fact]
    public void Every_kind_of_field_is_found_at_its_offset()
    {
        Mixed mixed = default;
        byte* start = (byte*)&mixed;
        string vector = typeof(Vector).ToString();
        string[] expected =
        [
            $"size {sizeof(Mixed)}",
            $"{&mixed.Flag - start} 1 Byte Flag",
            $"{(byte*)&mixed.Colour - start - 1} 1 Boolean Set",
            $"{(byte*)&mixed.Colour - start} 2 {typeof(Colour)}:Int16 Colour",
            $"{(byte*)&mixed.Letter - start} 2 Char Letter",
            $"{(byte*)&mixed.Weight - start} 4 Single Weight",
            $"{(byte*)&mixed.Position.X - start} 8 Double Position.X",
            $"{(byte*)&mixed.Position.Y - start} 8 Double Position.Y",
            $"{(byte*)mixed.Cells - start} 20 Int32[5] Cells",
            $"{(byte*)&mixed.Corners - start} 8 Double Corners._first[3].X",
            $"{(byte*)&mixed.Corners - start + 8} 8 Double Corners._first[3].Y",
            $"{(byte*)&mixed.Next - start} 8 {vector}* Next",
            $"{(byte*)&mixed.Handle - start} 8 IntPtr Handle",
            $"{(byte*)&mixed.Array - start} 8 {vector}* Array._pointer",
            $"{(byte*)&mixed.Array - start + 8} 8 Int64 Array._length",
        ];
        string[] lines = LayoutFingerprint.Describe<Mixed>().Split('\n');
        string call = Assert.Single(lines, line => line.EndsWith(" Call", StringComparison.Ordinal));
        Assert.Equal(expected, lines.Where(line => line != call));
        Assert.StartsWith($"{(byte*)&mixed.Call - start} 8 ", call, StringComparison.Ordinal);
    }

    [Fact]
    public void Primitives_unions_and_library_structs_are_described()
    {
        Assert.Equal("size 8\n0 8 Double value", LayoutFingerprint.Describe<double>());
        Assert.Equal($"size 2\n0 2 {typeof(Colour)}:Int16 value", LayoutFingerprint.Describe<Colour>());
        Assert.Equal(
            "size 32\n8 4 Int32 Low\n8 8 Int64 Whole\n12 4 Int32 High",
            LayoutFingerprint.Describe<Overlapping>());
        Assert.StartsWith("size 16\n", LayoutFingerprint.Describe<decimal>(), StringComparison.Ordinal);
        Assert.StartsWith("size 16\n0 ", LayoutFingerprint.Describe<Guid>(), StringComparison.Ordinal);
        Assert.StartsWith("size 2\n0 2 ", LayoutFingerprint.Describe<Half>(), StringComparison.Ordinal);
        Assert.StartsWith(
            "size 16\n0 8 ", LayoutFingerprint.Describe<System.Numerics.Complex>(), StringComparison.Ordinal);
        Assert.StartsWith(
            "size 16\n0 ", LayoutFingerprint.Describe<(double, int)>(), StringComparison.Ordinal);
        Assert.StartsWith(
            "size 32\n0 ", LayoutFingerprint.Describe<System.Runtime.Intrinsics.Vector256<double>>(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_nullable_value_is_one_field() => Assert.Equal(
        $"size 12\n0 4 {typeof(ParticipantKind)}:Int32 Kind\n4 8 {typeof(int?)} Count",
        LayoutFingerprint.Describe<Counted>());

    [Fact]
    public void A_nested_struct_without_fields_is_refused_with_advice() =>
        Assert.Contains(
            "no fields", Assert.ThrowsAny<Exception>(LayoutFingerprint.Describe<(int, Empty)>).ToString(),
            StringComparison.Ordinal);

    private struct Counted
    {
#pragma warning disable CS0649, IDE0044 // Only the layout is looked at.
        internal ParticipantKind Kind;
        internal int? Count;
#pragma warning restore CS0649, IDE0044
    }

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_difference_names_what_changed(string saved, string current, string expected) =>
        Assert.Equal(expected, LayoutFingerprint.Difference(saved, current));

    public static TheoryData<string, string, string> Differences => new()
    {
        {
            Layout<Wide>(), Layout<Narrow>(),
            "field 'B', Single at offset 8 (4 bytes), is now Double at offset 8 (8 bytes)"
        },
        { Layout<Wide>(), Layout<Less>(), "field 'B', Single at offset 8 (4 bytes), is gone" },
        { Layout<Less>(), Layout<Wide>(), "field 'B', Single at offset 8 (4 bytes), is new" },
        { "size 8\n0 4 Int32 A", "size 16\n0 4 Int32 A", "the size was 8 bytes and is now 16" },
    };

    private static string Layout<T>()
        where T : unmanaged => LayoutFingerprint.Describe<T>();

    [Fact]
    public void Equal_layouts_have_no_difference() =>
        Assert.Null(LayoutFingerprint.Difference(Layout<Mixed>(), Layout<Mixed>()));
}
