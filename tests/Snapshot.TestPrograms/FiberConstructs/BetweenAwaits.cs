using System.Globalization;
using System.Text;

namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>What may be used between two awaits and not across one.</summary>
internal static class BetweenAwaits
{
    private static readonly Lock s_gate = new();

    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(Strings), Strings), (nameof(StackallocAndSpans), StackallocAndSpans),
        (nameof(RefLocals), RefLocals),
        (nameof(LockStatement), LockStatement), (nameof(ArraysAndLinq), ArraysAndLinq),
        (nameof(Objects), Objects), (nameof(UnsafePointers), UnsafePointers),
        (nameof(UsingClass), UsingClass),
        (nameof(Closures), Closures), (nameof(DeadManagedLocal), DeadManagedLocal), (nameof(Boxing), Boxing),
    ];

    private sealed class Node(int value)
    {
        public int Value { get; set; } = value;
    }

    private static async FiberTask Strings(ArenaPointer<Cell> cell)
    {
        int number = 42;
        cell.Value.Add(string.Create(CultureInfo.InvariantCulture, $"number {number}").Length);
        await Pause.Here(cell);
        StringBuilder text = new();
        text.Append(number).Append('!');
        cell.Value.Add(text.ToString().Length);
        await Pause.Here(cell);
        cell.Value.Add("literal".Length + number);
    }

    private static async FiberTask StackallocAndSpans(ArenaPointer<Cell> cell)
    {
        int seed = 3;
        {
            Span<int> numbers = stackalloc int[8];
            for (int k = 0; k < numbers.Length; k++) numbers[k] = seed * k;
            ReadOnlySpan<int> tail = numbers[4..];
            foreach (int number in tail) cell.Value.Add(number);
            seed += tail[3];
        }

        await Pause.Here(cell);
        Span<byte> text = stackalloc byte[16];
        cell.Value.Add(Encoding.UTF8.GetBytes("sixteen", text) + seed);
    }

    private static async FiberTask RefLocals(ArenaPointer<Cell> cell)
    {
        int plus = 4;
        {
            ref long result = ref cell.Value.Result;
            result += plus;
        }

        await Pause.Here(cell);
        {
            ref readonly Cell all = ref cell.Value;
            cell.Value.Add(all.Pauses + plus);
        }
    }

    private static async FiberTask LockStatement(ArenaPointer<Cell> cell)
    {
        int kept = 6;
        lock (s_gate) cell.Value.Add(kept);
        await Pause.Here(cell);
        lock (s_gate) cell.Value.Add(kept + 1);
    }

    private static async FiberTask ArraysAndLinq(ArenaPointer<Cell> cell)
    {
        int sum;
        {
            int[] squares = [.. Enumerable.Range(1, 5).Select(static n => n * n)];
            sum = squares.Where(static n => n % 2 == 1).Sum();
            foreach (int square in squares) cell.Value.Add(square);
        }

        await Pause.Here(cell);
        cell.Value.Add(sum);
    }

    private static async FiberTask Objects(ArenaPointer<Cell> cell)
    {
        int value;
        {
            Node node = new(5);
            node.Value += 3;
            value = node.Value;
        }

        await Pause.Here(cell);
        Node other = new(value);
        cell.Value.Add(other.Value);
    }

    private static async FiberTask UnsafePointers(ArenaPointer<Cell> cell)
    {
        int kept = 12;
        unsafe
        {
            Cell* raw = cell;
            raw->Add(kept);
        }

        await Pause.Here(cell);
        unsafe
        {
            cell.Pointer->Add(kept * 2);
        }
    }

    private static async FiberTask UsingClass(ArenaPointer<Cell> cell)
    {
        using (StringReader reader = new("line one\nline two")) cell.Value.Add(reader.ReadLine()!.Length);
        await Pause.Here(cell);
        cell.Value.Add(2);
    }

    private static async FiberTask Closures(ArenaPointer<Cell> cell)
    {
        int kept = 2;
        await Pause.Here(cell);
        {
            int captured = kept + 5;
            Func<int, int> add = n => n + captured;
            cell.Value.Add(add(10));
        }

        await Pause.Here(cell);
        cell.Value.Add(kept);
    }

    private static async FiberTask DeadManagedLocal(ArenaPointer<Cell> cell)
    {
        string text = "set before, not read after";
        cell.Value.Add(text.Length);
        await Pause.Here(cell);
        text = "set again";
        cell.Value.Add(text.Length);
    }

    private static async FiberTask Boxing(ArenaPointer<Cell> cell)
    {
        object boxed = 5;
        cell.Value.Add((int)boxed);
        await Pause.Here(cell);
        object[] several = [1, 2L, 'c'];
        cell.Value.Add(several.Length + (long)several[1]);
    }
}
