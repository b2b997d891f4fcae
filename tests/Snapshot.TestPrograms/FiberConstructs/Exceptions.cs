namespace Snapshot.TestPrograms.FiberConstructs;

/// <summary>try, catch, when, finally, using; each <c>finally</c> counts itself.</summary>
internal static class Exceptions
{
    internal static readonly (string Name, ConstructBody Body)[] List =
    [
        (nameof(TryFinally), TryFinally), (nameof(NestedFinally), NestedFinally),
        (nameof(CatchThroughFrames), CatchThroughFrames), (nameof(CatchWhen), CatchWhen),
        (nameof(CatchThatAwaits), CatchThatAwaits), (nameof(FlagInsteadOfException), FlagInsteadOfException),
        (nameof(ThrowBeforeFirstAwait), ThrowBeforeFirstAwait),
        (nameof(RethrowAcrossFrames), RethrowAcrossFrames),
        (nameof(ReturnInsideTry), ReturnInsideTry), (nameof(UsingStruct), UsingStruct),
        (nameof(ExceptionUsedBetweenAwaits), ExceptionUsedBetweenAwaits),
    ];

    private struct Counted(ArenaPointer<Cell> cell, int weight) : IDisposable
    {
        public int Weight = weight;

        public readonly void Dispose()
        {
            cell.Value.Finallys++;
            cell.Value.Add(Weight);
        }
    }

    private static async FiberTask TryFinally(ArenaPointer<Cell> cell)
    {
        int local = 17;
        try
        {
            await Pause.Here(cell);
            cell.Value.Add(local);
        }
        finally
        {
            cell.Value.Finallys++;
            cell.Value.Add(local + 1);
        }
    }

    private static async FiberTask NestedFinally(ArenaPointer<Cell> cell)
    {
        try
        {
            for (int i = 0; i < 2; i++)
            {
                try
                {
                    try
                    {
                        await Pause.Here(cell);
                        if (i == 1) throw new InvalidOperationException("inner");
                    }
                    finally
                    {
                        cell.Value.Finallys++;
                    }
                }
                catch (InvalidOperationException)
                {
                    cell.Value.Add(i);
                }
            }

            await Pause.Here(cell);
        }
        finally
        {
            cell.Value.Finallys++;
        }
    }

    private static async FiberTask CatchThroughFrames(ArenaPointer<Cell> cell)
    {
        int kept = 5;
        try
        {
            await Middle(cell, 3);
        }
        catch (ArgumentOutOfRangeException error)
        {
            cell.Value.Add(error.Message.Length > 0 ? kept : 0);
        }

        await Pause.Here(cell);
        cell.Value.Add(kept);
    }

    private static async FiberTask CatchWhen(ArenaPointer<Cell> cell)
    {
        for (int i = 0; i < 2; i++)
        {
            try
            {
                await Middle(cell, i);
            }
            catch (ArgumentOutOfRangeException error) when (error.ParamName == "depth" && i == 0)
            {
                cell.Value.Add(100 + i);
            }
            catch (Exception error) when (error is not InvalidOperationException)
            {
                cell.Value.Add(200 + i);
            }
        }
    }

    private static async FiberTask CatchThatAwaits(ArenaPointer<Cell> cell)
    {
        int kept = 23;
        try
        {
            await Middle(cell, 1);
        }
        catch (ArgumentOutOfRangeException)
        {
            await Pause.Here(cell);
            cell.Value.Add(kept);
        }

        cell.Value.Add(kept * 2);
    }

    private static async FiberTask FlagInsteadOfException(ArenaPointer<Cell> cell)
    {
        int code = 0;
        try
        {
            await Middle(cell, 2);
        }
        catch (ArgumentOutOfRangeException error)
        {
            code = error.ParamName!.Length;
        }
        finally
        {
            cell.Value.Finallys++;
        }

        if (code != 0) await Pause.Here(cell);
        cell.Value.Add(code);
    }

    private static async FiberTask ThrowBeforeFirstAwait(ArenaPointer<Cell> cell)
    {
        await Pause.Here(cell);
        try
        {
            await AtOnce(cell, 0);
        }
        catch (DivideByZeroException)
        {
            cell.Value.Add(9);
        }

        await Pause.Here(cell);
    }

    private static async FiberTask RethrowAcrossFrames(ArenaPointer<Cell> cell)
    {
        try
        {
            await Translate(cell);
        }
        catch (NotSupportedException error) when (error.InnerException is ArgumentOutOfRangeException)
        {
            cell.Value.Add(77);
        }
    }

    private static async FiberTask ReturnInsideTry(ArenaPointer<Cell> cell)
    {
        cell.Add(await Early(cell, true));
        cell.Add(await Early(cell, false));
    }

    private static async FiberTask UsingStruct(ArenaPointer<Cell> cell)
    {
        using (Counted outer = new(cell, 3))
        {
            using Counted inner = new(cell, 4);
            await Pause.Here(cell);
            cell.Value.Add(outer.Weight * inner.Weight);
        }

        try
        {
            using Counted thrown = new(cell, 5);
            await Middle(cell, 1);
        }
        catch (ArgumentOutOfRangeException)
        {
            cell.Value.Add(6);
        }
    }

    private static async FiberTask ExceptionUsedBetweenAwaits(ArenaPointer<Cell> cell)
    {
        await Pause.Here(cell);
        try
        {
            throw new InvalidOperationException("twelve chars");
        }
        catch (InvalidOperationException error)
        {
            cell.Value.Add(error.Message.Length);
        }

        await Pause.Here(cell);
    }

    private static async FiberTask Middle(ArenaPointer<Cell> cell, int depth)
    {
        try
        {
            if (depth > 0) await Middle(cell, depth - 1);
            else await Deep(cell, depth);
        }
        finally
        {
            cell.Value.Finallys++;
        }
    }

    private static async FiberTask Deep(ArenaPointer<Cell> cell, int depth)
    {
        try
        {
            await Pause.Here(cell);
            throw new ArgumentOutOfRangeException(nameof(depth));
        }
        finally
        {
            cell.Value.Finallys++;
        }
    }

    private static async FiberTask AtOnce(ArenaPointer<Cell> cell, int divisor)
    {
        cell.Value.Add(1000 / divisor);
        await Pause.Here(cell);
    }

    private static async FiberTask Translate(ArenaPointer<Cell> cell)
    {
        try
        {
            await Middle(cell, 1);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new NotSupportedException("translated", error);
        }
    }

    private static async FiberTask<int> Early(ArenaPointer<Cell> cell, bool early)
    {
        try
        {
            if (early) return 31;
            await Pause.Here(cell);
            return 32;
        }
        finally
        {
            cell.Value.Finallys++;
        }
    }
}
