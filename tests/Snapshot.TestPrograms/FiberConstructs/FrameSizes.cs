using System.Runtime.CompilerServices;

namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>Frames in and beyond the sizes of the pool, and results of those sizes.</summary>
internal static class FrameSizes
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(FrameOver1KiB), FrameOver1KiB), (nameof(FrameOver64KiB), FrameOver64KiB),
        (nameof(ResultOver1KiB), ResultOver1KiB), (nameof(ResultOver64KiB), ResultOver64KiB),
        (nameof(ManyFrameSizes), ManyFrameSizes),
    ];

    [InlineArray(300)]
    private struct TwoKiB
    {
        private long _first;
    }

    [InlineArray(9_000)]
    private struct SeventyKiB
    {
        private long _first;
    }

    private static async FiberTask FrameOver1KiB(ArenaPointer<Cell> cell)
    {
        TwoKiB block = default;
        for (int i = 0; i < 300; i++) block[i] = i * 7;
        await Pause.Here(cell);
        long sum = 0;
        for (int i = 0; i < 300; i++) sum += block[i] * i;
        cell.Value.Add(sum);
    }

    private static async FiberTask FrameOver64KiB(ArenaPointer<Cell> cell)
    {
        SeventyKiB block = default;
        for (int i = 0; i < 9_000; i++) block[i] = i * 3;
        await Pause.Here(cell);
        block[8_999] += 1;
        await Pause.Here(cell);
        long sum = 0;
        for (int i = 0; i < 9_000; i++) sum += block[i] * i;
        cell.Value.Add(sum);
    }

    private static async FiberTask ResultOver1KiB(ArenaPointer<Cell> cell)
    {
        TwoKiB block = await Fill(cell, 5);
        await Pause.Here(cell);
        cell.Value.Add(block[299]);
    }

    private static async FiberTask<TwoKiB> Fill(ArenaPointer<Cell> cell, long factor)
    {
        await Pause.Here(cell);
        TwoKiB block = default;
        for (int i = 0; i < 300; i++) block[i] = i * factor;
        return block;
    }

    private static async FiberTask ResultOver64KiB(ArenaPointer<Cell> cell)
    {
        SeventyKiB block = await FillLarge(cell, 4);
        cell.Value.Add(block[8_999]);
    }

    private static async FiberTask<SeventyKiB> FillLarge(ArenaPointer<Cell> cell, long factor)
    {
        await Pause.Here(cell);
        SeventyKiB block = default;
        for (int i = 0; i < 9_000; i++) block[i] = i * factor;
        return block;
    }

    private static async FiberTask ManyFrameSizes(ArenaPointer<Cell> cell) =>
        cell.Add(await Grow(cell, new Doubled<long>(1, 2), 0));

    private readonly record struct Doubled<T>(T Left, T Right)
        where T : unmanaged;

    /// <summary>Each level keeps twice as much as the one above: 16 bytes to 32 KiB.</summary>
    private static async FiberTask<long> Grow<T>(ArenaPointer<Cell> cell, Doubled<T> value, int level)
        where T : unmanaged
    {
        if (level == 11)
        {
            await Pause.Here(cell);
            return value.GetHashCode() == value.GetHashCode() ? 1 : 0;
        }

        long below = await Grow(cell, new Doubled<Doubled<T>>(value, value), level + 1);
        return below * 3 + (value.Left.Equals(value.Left) ? level : 1_000);
    }
}
