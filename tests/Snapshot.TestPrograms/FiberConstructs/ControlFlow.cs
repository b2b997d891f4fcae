namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>Loops, branches, and awaits inside expressions.</summary>
internal static class ControlFlow
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(ForLoop), ForLoop), (nameof(WhileLoop), WhileLoop), (nameof(DoLoop), DoLoop),
        (nameof(NestedLoops), NestedLoops), (nameof(GotoLabel), GotoLabel),
        (nameof(SwitchStatement), SwitchStatement),
        (nameof(SwitchExpression), SwitchExpression), (nameof(Conditional), Conditional),
        (nameof(ShortCircuit), ShortCircuit), (nameof(SpilledOperands), SpilledOperands),
        (nameof(Patterns), Patterns), (nameof(NoAwaitAtAll), NoAwaitAtAll),
    ];

    private static async FiberTask ForLoop(ArenaPointer<Cell> cell)
    {
        long sum = 0;
        for (int i = 1, j = 100; i <= 4; i++, j -= 7)
        {
            long square = i * i;
            await Pause.Here(cell);
            sum += square * j;
        }

        cell.Value.Add(sum);
    }

    private static async FiberTask WhileLoop(ArenaPointer<Cell> cell)
    {
        int n = 27, steps = 0;
        while (n > 1)
        {
            n = n % 2 == 0 ? n / 2 : 3 * n + 1;
            if (steps++ % 40 == 7) await Pause.Here(cell);
            if (n == 61) continue;
            cell.Value.Add(n);
            if (steps > 200) break;
        }

        cell.Value.Add(steps);
    }

    private static async FiberTask DoLoop(ArenaPointer<Cell> cell)
    {
        int left = 3;
        do
        {
            int before = left;
            await Pause.Here(cell);
            cell.Value.Add(before);
        }
        while (--left > 0);
    }

    private static async FiberTask NestedLoops(ArenaPointer<Cell> cell)
    {
        for (int row = 0; row < 5; row++)
        {
            for (int column = 0; column < 5; column++)
            {
                if (column > row) break;
                int product = (row + 1) * (column + 2);
                if (row == column && row % 2 == 0) await Pause.Here(cell);
                cell.Value.Add(product);
            }
        }
    }

    private static async FiberTask GotoLabel(ArenaPointer<Cell> cell)
    {
        int round = 0;
    again:
        int kept = round * 11;
        await Pause.Here(cell);
        cell.Value.Add(kept + round);
        if (++round < 3) goto again;
    }

    private static async FiberTask SwitchStatement(ArenaPointer<Cell> cell)
    {
        for (int i = 0; i < 4; i++)
        {
            int weight = i + 5;
            switch (i)
            {
                case 0:
                    await Pause.Here(cell);
                    cell.Value.Add(weight);
                    break;
                case 1:
                    weight *= 3;
                    goto case 2;
                case 2:
                    await Pause.Here(cell);
                    cell.Value.Add(weight * 2);
                    break;
                default:
                    cell.Value.Add(weight - 1);
                    break;
            }
        }
    }

    private static async FiberTask SwitchExpression(ArenaPointer<Cell> cell)
    {
        for (int i = 0; i < 3; i++)
        {
            long value = i switch
            {
                0 => await Later(cell, 41),
                1 => await Later(cell, 42) * 2,
                _ => 7,
            };
            cell.Value.Add(value + i);
        }
    }

    private static async FiberTask Conditional(ArenaPointer<Cell> cell)
    {
        long left = cell.Value.Pauses == 0 ? await Later(cell, 3) : 0;
        long right = left > 100 ? 1 : await Later(cell, left * 5);
        cell.Value.Add(left);
        cell.Value.Add(right);
    }

    private static async FiberTask ShortCircuit(ArenaPointer<Cell> cell)
    {
        bool both = await Later(cell, 1) == 1 && await Later(cell, 2) == 2;
        bool either = await Later(cell, 3) == 3 || await Later(cell, 4) == 0;
        cell.Value.Add((both ? 2 : 0) + (either ? 1 : 0));
    }

    private static async FiberTask SpilledOperands(ArenaPointer<Cell> cell)
    {
        int a = 3;
        long value = Twice(a) + await Later(cell, 10) * Twice(a + 1) - await Later(cell, Twice(a));
        cell.Value.Add(value);
        cell.Add(Combine(Twice(7), await Later(cell, 8), a));
    }

    private static async FiberTask Patterns(ArenaPointer<Cell> cell)
    {
        (int X, long Y) point = (4, 5);
        await Pause.Here(cell);
        if (point is ( > 3, var y) && await Later(cell, y) is > 4 and var more) cell.Add(y * 100 + more);
    }

    private static async FiberTask NoAwaitAtAll(ArenaPointer<Cell> cell)
    {
        await Quiet(cell, 5);
        cell.Add(await QuietValue(6));
    }

#pragma warning disable CS1998 // No await: such calls exist.
    private static async FiberTask Quiet(ArenaPointer<Cell> cell, int value) => cell.Value.Add(value);

    private static async FiberTask<long> QuietValue(long value) => value * 3;
#pragma warning restore CS1998

    private static async FiberTask<long> Later(ArenaPointer<Cell> cell, long value)
    {
        await Pause.Here(cell);
        return value;
    }

    private static int Twice(int value) => 2 * value;

    private static long Combine(int a, long b, int c) => a * 10_000 + b * 100 + c;
}
