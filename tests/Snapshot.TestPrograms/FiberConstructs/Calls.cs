namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>Nested, recursive and generic calls, lambdas, local functions, methods of structs.</summary>
internal static class Calls
{
    /// <summary>
    /// As deep as <see cref="DeepRecursion"/> goes: as many frames lie in the arena at once.
    /// </summary>
    internal const int Depth = 10_000;

    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(NestedCalls), NestedCalls), (nameof(Recursion), Recursion),
        (nameof(DeepRecursion), DeepRecursion),
        (nameof(GenericMethod), GenericMethod), (nameof(GenericType), GenericType),
        (nameof(ManagedTypeArgument), ManagedTypeArgument), (nameof(ConstrainedGeneric), ConstrainedGeneric),
        (nameof(StaticLambda), StaticLambda), (nameof(StaticLocalFunction), StaticLocalFunction),
        (nameof(MethodOfStruct), MethodOfStruct), (nameof(MethodWithoutAsync), MethodWithoutAsync),
        (nameof(ExtensionMethod), ExtensionMethod), (nameof(ManyParameters), ManyParameters),
        (nameof(ManyTypes), ManyTypes),
    ];

    private interface IShape
    {
        public static abstract int Corners { get; }

        public long Area();
    }

    private readonly struct Square(int side) : IShape
    {
        public static int Corners => 4;

        public long Area() => (long)side * side;
    }

    private readonly struct Circle(int radius) : IShape
    {
        public static int Corners => 0;

        public long Area() => 3L * radius * radius;
    }

    private readonly record struct Wrapped<T>(T Value, byte Depth)
        where T : unmanaged;

    private struct Tally(int start)
    {
        public int Count = start;

        // A copy of the struct is what lives in the frame.
        public async FiberTask<int> CountTo(ArenaPointer<Cell> cell, int end)
        {
            while (Count < end)
            {
                Count++;
                await Pause.Here(cell);
            }

            return Count;
        }
    }

    private static class Boxed<T>
        where T : unmanaged
    {
        public static async FiberTask<(T Value, TOther Other)> Pair<TOther>(
            ArenaPointer<Cell> cell, T value, TOther other)
            where TOther : unmanaged
        {
            T kept = value;
            await Pause.Here(cell);
            return (kept, other);
        }
    }

    private static async FiberTask NestedCalls(ArenaPointer<Cell> cell)
    {
        int before = 2;
        long value = await First(cell, before);
        cell.Value.Add(value + before);
    }

    private static async FiberTask<long> First(ArenaPointer<Cell> cell, int n)
    {
        long second = await Second(cell, n + 1);
        await Pause.Here(cell);
        return second * n;
    }

    private static async FiberTask<long> Second(ArenaPointer<Cell> cell, int n)
    {
        await Pause.Here(cell);
        int third = await Third(cell, n + 1);
        return third + n;
    }

    private static async FiberTask<int> Third(ArenaPointer<Cell> cell, int n)
    {
        await Pause.Here(cell);
        return n * 10;
    }

    private static async FiberTask Recursion(ArenaPointer<Cell> cell) => cell.Add(await Fibonacci(cell, 12));

    private static async FiberTask<long> Fibonacci(ArenaPointer<Cell> cell, int n)
    {
        if (n < 2) return n;
        if (n == 9) await Pause.Here(cell);
        return await Fibonacci(cell, n - 1) + await Fibonacci(cell, n - 2);
    }

    private static async FiberTask DeepRecursion(ArenaPointer<Cell> cell) =>
        cell.Add(await Down(cell, Depth));

    private static async FiberTask<long> Down(ArenaPointer<Cell> cell, int left)
    {
        if (left == 0)
        {
            await Pause.Here(cell);
            return 1;
        }

        long below = await Down(cell, left - 1);
        if (left == Depth / 2) await Pause.Here(cell);
        return unchecked(below * 3 + left);
    }

    private static async FiberTask GenericMethod(ArenaPointer<Cell> cell)
    {
        cell.Add(await Echo(cell, 5));
        cell.Add((long)(await Echo(cell, 5.5) * 2));
        cell.Add((await Echo(cell, (7, 8L))).Item2);
        cell.Add((await Echo(cell, new Wrapped<Wrapped<short>>(new Wrapped<short>(9, 1), 2))).Value.Value);
    }

    private static async FiberTask<T> Echo<T>(ArenaPointer<Cell> cell, T value)
        where T : unmanaged
    {
        await Pause.Here(cell);
        return value;
    }

    private static async FiberTask GenericType(ArenaPointer<Cell> cell)
    {
        (int number, decimal other) = await Boxed<int>.Pair(cell, 4, 5.25m);
        cell.Value.Add(number);
        cell.Value.Add((long)(other * 4));
        (Guid guid, char letter) =
            await Boxed<Guid>.Pair(cell, new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 'x');
        cell.Value.Add(guid.ToByteArray()[15] + letter);
    }

    private static async FiberTask ManagedTypeArgument(ArenaPointer<Cell> cell)
    {
        cell.Add(await NameLength<string>(cell, 100));
        cell.Add(await NameLength<List<int>>(cell, 200));
    }

    private static async FiberTask<int> NameLength<T>(ArenaPointer<Cell> cell, int kept)
    {
        int length = typeof(T).Name.Length;
        await Pause.Here(cell);
        return kept + length + typeof(T).Name.Length;
    }

    private static async FiberTask ConstrainedGeneric(ArenaPointer<Cell> cell)
    {
        cell.Add(await Measure(cell, new Square(6)));
        cell.Add(await Measure(cell, new Circle(7)));
    }

    private static async FiberTask<long> Measure<TShape>(ArenaPointer<Cell> cell, TShape shape)
        where TShape : unmanaged, IShape
    {
        await Pause.Here(cell);
        return shape.Area() * 10 + TShape.Corners;
    }

    private static async FiberTask StaticLambda(ArenaPointer<Cell> cell)
    {
        Func<ArenaPointer<Cell>, int, FiberTask<int>> body = static async (c, n) =>
        {
            int kept = n * 2;
            await Pause.Here(c);
            return kept + n;
        };
        cell.Add(await body(cell, 21));
        await Pause.Here(cell);
    }

    private static async FiberTask StaticLocalFunction(ArenaPointer<Cell> cell)
    {
        int kept = 40;
        cell.Add(await Inner(cell, kept));
        cell.Value.Add(kept);

        static async FiberTask<int> Inner(ArenaPointer<Cell> cell, int n)
        {
            await Pause.Here(cell);
            return n + 2;
        }
    }

    private static async FiberTask MethodOfStruct(ArenaPointer<Cell> cell)
    {
        Tally tally = new(5);
        cell.Add(await tally.CountTo(cell, 7));
        cell.Value.Add(tally.Count);
    }

    private static async FiberTask MethodWithoutAsync(ArenaPointer<Cell> cell)
    {
        await Forward(cell, 2);
        cell.Value.Add(3);
    }

    private static FiberTask Forward(ArenaPointer<Cell> cell, int times) =>
        times == 0 ? Pause.Here(cell) : Forward(cell, times - 1);

    private static async FiberTask ExtensionMethod(ArenaPointer<Cell> cell) =>
        cell.Add(await 8.Tripled(cell));

    private static async FiberTask<int> Tripled(this int value, ArenaPointer<Cell> cell)
    {
        await Pause.Here(cell);
        return 3 * value;
    }

    private static async FiberTask ManyParameters(ArenaPointer<Cell> cell) =>
        cell.Add(await Many(cell, 1, 2, 3, 4, 5.0f, 6.0, 7, 8, 'a', true, 11, 12, 13, h: 14));

    private static async FiberTask<long> Many(
        ArenaPointer<Cell> cell, byte a, short b, int c, long d, float e, double f, ulong g, nint h0, char i,
        bool j,
        sbyte k, ushort l, uint m, int o = 15, int h = 0)
    {
        await Pause.Here(cell);
        return a + b + c + d + (long)e + (long)f + (long)g + h0 + i + (j ? 1 : 0) + k + l + m + o + h;
    }

    private static async FiberTask ManyTypes(ArenaPointer<Cell> cell) =>
        cell.Add(await Deeper(cell, new Wrapped<long>(3, 0)));

    /// <summary>Each level is another type of frame.</summary>
    private static async FiberTask<long> Deeper<T>(ArenaPointer<Cell> cell, Wrapped<T> value)
        where T : unmanaged
    {
        if (value.Depth == 40)
        {
            await Pause.Here(cell);
            return 1;
        }

        long below = await Deeper(cell, new Wrapped<Wrapped<T>>(value, (byte)(value.Depth + 1)));
        return unchecked(below * 5 + value.Depth);
    }
}
