namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>foreach over enumerators that are unmanaged structs, synchronous and awaited.</summary>
internal static class Iteration
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(ForeachOverStruct), ForeachOverStruct), (nameof(ForeachWithDispose), ForeachWithDispose),
        (nameof(AwaitForeach), AwaitForeach), (nameof(NestedForeach), NestedForeach),
        (nameof(IndexedArenaArray), IndexedArenaArray),
    ];

    private readonly struct Countdown(int from)
    {
        public Enumerator GetEnumerator() => new(from);

        internal struct Enumerator(int from)
        {
            private int _left = from + 1;

            public readonly int Current => _left;

            public bool MoveNext() => --_left > 0;
        }
    }

    private readonly struct Guarded(ArenaPointer<Cell> cell, int count)
    {
        public Enumerator GetEnumerator() => new(cell, count);

        internal struct Enumerator(ArenaPointer<Cell> cell, int count) : IDisposable
        {
            private int _at = -1;

            public readonly long Current => _at * 5L;

            public bool MoveNext() => ++_at < count;

            public readonly void Dispose() => cell.Value.Finallys++;
        }
    }

    /// <summary>
    /// An async method of a struct works on a copy of it, so what moves is kept elsewhere: here in the cell.
    /// </summary>
    private readonly struct Slow(ArenaPointer<Cell> cell, int count)
    {
        public Slow GetAsyncEnumerator() => this;

        public long Current => cell.Value.Pauses * 3L;

        public async FiberTask<bool> MoveNextAsync()
        {
            await Pause.Here(cell);
            return cell.Value.Pauses <= count;
        }
    }

    private static async FiberTask ForeachOverStruct(ArenaPointer<Cell> cell)
    {
        foreach (int value in new Countdown(3))
        {
            await Pause.Here(cell);
            cell.Value.Add(value);
        }
    }

    private static async FiberTask ForeachWithDispose(ArenaPointer<Cell> cell)
    {
        foreach (long value in new Guarded(cell, 3))
        {
            await Pause.Here(cell);
            cell.Value.Add(value);
            if (value == 5) break;
        }
    }

    private static async FiberTask AwaitForeach(ArenaPointer<Cell> cell)
    {
        await foreach (long value in new Slow(cell, 3)) cell.Add(value);
    }

    private static async FiberTask NestedForeach(ArenaPointer<Cell> cell)
    {
        foreach (int outer in new Countdown(3))
        {
            foreach (int inner in new Countdown(outer))
            {
                if (outer == 2) await Pause.Here(cell);
                cell.Value.Add(outer * 10 + inner);
            }
        }
    }

    private static async FiberTask IndexedArenaArray(ArenaPointer<Cell> cell)
    {
        ArenaArray<long> numbers = cell.Value.Numbers;
        for (long i = 0; i < numbers.Length; i++)
        {
            numbers[i] = i + 9;
            await Pause.Here(cell);
            cell.Value.Add(numbers[i]);
        }
    }
}
