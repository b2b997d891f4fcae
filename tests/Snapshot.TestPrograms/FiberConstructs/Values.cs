using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>Locals, parameters and results of the unmanaged types there are.</summary>
internal static class Values
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(TupleResult), TupleResult), (nameof(LargeTuple), LargeTuple),
        (nameof(NullableLocal), NullableLocal),
        (nameof(Primitives), Primitives), (nameof(DecimalLocal), DecimalLocal),
        (nameof(TimesAndDates), TimesAndDates),
        (nameof(GuidLocal), GuidLocal), (nameof(WideNumbers), WideNumbers), (nameof(EnumLocal), EnumLocal),
        (nameof(InlineArrayLocal), InlineArrayLocal), (nameof(VectorLocals), VectorLocals),
        (nameof(GeometryLocals), GeometryLocals), (nameof(RecordStructLocal), RecordStructLocal),
        (nameof(ExplicitLayoutLocal), ExplicitLayoutLocal),
        (nameof(PointersIntoTheArena), PointersIntoTheArena),
        (nameof(EmptyStructs), EmptyStructs), (nameof(DefaultsStayDefault), DefaultsStayDefault),
    ];

    private enum Color : short
    {
        Red = 1,
        Blue = -7,
    }

    [InlineArray(7)]
    private struct Seven
    {
        private int _first;
    }

    private readonly record struct Particle(Vector3 Place, double Mass, Color Color);

    [StructLayout(LayoutKind.Explicit)]
    private struct Bits
    {
        [FieldOffset(0)] public double Real;
        [FieldOffset(0)] public long Whole;
    }

    private struct Nothing;

    private static async FiberTask TupleResult(ArenaPointer<Cell> cell)
    {
        (int, long) pair = await Pair(cell, 3);
        (int a, (long b, byte c)) = await NestedPair(cell, 4);
        cell.Value.Add(pair.Item1 * pair.Item2 + a + b + c);
    }

    private static async FiberTask<(int, long)> Pair(ArenaPointer<Cell> cell, int n)
    {
        await Pause.Here(cell);
        return (n, 1L << 40);
    }

    private static async FiberTask<(int A, (long B, byte C) D)> NestedPair(ArenaPointer<Cell> cell, int n)
    {
        await Pause.Here(cell);
        return (n, (n * 2, 255));
    }

    private static async FiberTask LargeTuple(ArenaPointer<Cell> cell)
    {
        var nine = (1, 2L, (byte)3, 4.0, 5f, 'f', (short)7, true, 9UL);
        await Pause.Here(cell);
        cell.Value.Add(nine.Item1 + nine.Item2 + nine.Item3 + (long)nine.Item4 + nine.Item6 + nine.Item7);
        cell.Value.Add((nine.Item8 ? 1 : 0) + (long)nine.Item9);
    }

    private static async FiberTask NullableLocal(ArenaPointer<Cell> cell)
    {
        int? some = 5, none = null;
        DateTime? date = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        await Pause.Here(cell);
        cell.Value.Add(some ?? -1);
        cell.Value.Add(none ?? -2);
        cell.Value.Add(date?.Ticks ?? -3);
        none = some * 2;
        cell.Add(await OrZero(cell, none));
    }

    // A nullable cannot be a result: T? is no unmanaged type to the compiler.
    private static async FiberTask<long> OrZero(ArenaPointer<Cell> cell, int? value)
    {
        await Pause.Here(cell);
        return value is { } known ? known + 1L : 0;
    }

    private static async FiberTask Primitives(ArenaPointer<Cell> cell)
    {
        (byte a, sbyte b, short c, ushort d) = (200, -100, -30_000, 60_000);
        (int e, uint f, long g, ulong h) =
            (int.MinValue, uint.MaxValue, long.MinValue + 5, ulong.MaxValue - 7);
        (float i, double j, char k, bool l, nint m, nuint n) = (1.5f, -2.25, 'é', true, -9, 11);
        await Pause.Here(cell);
        cell.Value.Add(a + b + c + d);
        cell.Value.Add(unchecked(e + f + g + (long)h));
        cell.Value.Add(BitConverter.SingleToInt32Bits(i) + BitConverter.DoubleToInt64Bits(j));
        cell.Value.Add(k + (l ? 1 : 0) + m + (long)n);
    }

    private static async FiberTask DecimalLocal(ArenaPointer<Cell> cell)
    {
        decimal money = 79228162514264.337593543950335m;
        await Pause.Here(cell);
        foreach (int word in decimal.GetBits(money * 2)) cell.Value.Add(word);
    }

    private static async FiberTask TimesAndDates(ArenaPointer<Cell> cell)
    {
        DateTime at = new(1999, 12, 31, 23, 59, 59, DateTimeKind.Utc);
        TimeSpan span = TimeSpan.FromMilliseconds(1234.5);
        DateTimeOffset there = new(2020, 1, 2, 3, 4, 5, TimeSpan.FromHours(-7));
        (DateOnly day, TimeOnly hour) = (new DateOnly(2024, 2, 29), new TimeOnly(13, 14, 15));
        await Pause.Here(cell);
        cell.Value.Add((at + span).Ticks);
        cell.Value.Add((long)at.Kind);
        cell.Value.Add(there.UtcTicks + there.Offset.Ticks);
        cell.Value.Add(day.DayNumber + hour.Ticks);
    }

    private static async FiberTask GuidLocal(ArenaPointer<Cell> cell)
    {
        Guid guid = new("00112233-4455-6677-8899-aabbccddeeff");
        await Pause.Here(cell);
        foreach (byte part in guid.ToByteArray()) cell.Value.Add(part);
    }

    private static async FiberTask WideNumbers(ArenaPointer<Cell> cell)
    {
        Int128 wide = Int128.MaxValue / 3;
        UInt128 wider = UInt128.MaxValue - 5;
        Half half = (Half)0.75;
        Complex complex = new(1.5, -2);
        Rune rune = new(0x1F600);
        Index index = ^3;
        Range range = 2..^1;
        await Pause.Here(cell);
        cell.Value.Add(unchecked((long)wide + (long)(wider >> 64)));
        cell.Value.Add((long)((double)half * 100) + (long)((complex * complex).Real * 100));
        cell.Value.Add(rune.Value + index.GetOffset(10) + range.GetOffsetAndLength(20).Length);
    }

    private static async FiberTask EnumLocal(ArenaPointer<Cell> cell)
    {
        Color color = Color.Blue;
        DayOfWeek day = DayOfWeek.Friday;
        await Pause.Here(cell);
        cell.Value.Add((int)color * 10 + (int)day);
    }

    private static async FiberTask InlineArrayLocal(ArenaPointer<Cell> cell)
    {
        Seven seven = default;
        for (int i = 0; i < 7; i++) seven[i] = i * i + 1;
        await Pause.Here(cell);
        seven[3] += 1000;
        await Pause.Here(cell);
        for (int i = 0; i < 7; i++) cell.Value.Add(seven[i]);
    }

    private static async FiberTask VectorLocals(ArenaPointer<Cell> cell)
    {
        Vector256<int> eight = Vector256.Create(1, 2, 3, 4, 5, 6, 7, 8);
        Vector512<long> wide = Vector512.Create(-3L);
        Vector128<double> two = Vector128.Create(0.5, 1.5);
        Vector<int> native = Vector<int>.One;
        await Pause.Here(cell);
        cell.Value.Add(Vector256.Sum(eight * eight));
        cell.Value.Add(Vector512.Sum(wide));
        cell.Value.Add((long)(Vector128.Sum(two) * 8) + native[0]);
    }

    private static async FiberTask GeometryLocals(ArenaPointer<Cell> cell)
    {
        Matrix4x4 matrix = Matrix4x4.CreateTranslation(1, 2, 3);
        Quaternion turn = Quaternion.Identity;
        Vector3 place = new(10, 20, 30);
        await Pause.Here(cell);
        Vector3 moved = Vector3.Transform(Vector3.Transform(place, turn), matrix);
        cell.Value.Add((long)(moved.X * 10_000 + moved.Y * 100 + moved.Z));
    }

    private static async FiberTask RecordStructLocal(ArenaPointer<Cell> cell)
    {
        Particle particle = new(new Vector3(1, 2, 3), 4.5, Color.Red);
        await Pause.Here(cell);
        particle = particle with { Mass = particle.Mass * 2 };
        await Pause.Here(cell);
        cell.Value.Add((long)(particle.Place.Z * particle.Mass) + (int)particle.Color);
    }

    private static async FiberTask ExplicitLayoutLocal(ArenaPointer<Cell> cell)
    {
        Bits bits = new() { Real = 6.5 };
        await Pause.Here(cell);
        cell.Value.Add(bits.Whole);
    }

    private static async FiberTask PointersIntoTheArena(ArenaPointer<Cell> cell)
    {
        ArenaPointer<Cell> same = cell;
        ArenaPointer<ArenaPointer<Cell>> nowhere = default;
        await Pause.Here(cell);
        same.Value.Add(same == cell ? 1 : 0);
        same.Value.Add(nowhere.IsNull ? 1 : 0);
    }

    private static async FiberTask EmptyStructs(ArenaPointer<Cell> cell)
    {
        (Nothing a, int b, Nothing c) = (default, 6, default);
        await Pause.Here(cell);
        cell.Value.Add(a.Equals(c) ? b : 0);
    }

    private static async FiberTask DefaultsStayDefault(ArenaPointer<Cell> cell)
    {
        for (int i = 0; i < 2; i++)
        {
            Seven seven = default;
            await Pause.Here(cell);
            for (int k = 0; k < 7; k++) cell.Value.Add(seven[k]);
            seven[2] = 99;
        }
    }
}
