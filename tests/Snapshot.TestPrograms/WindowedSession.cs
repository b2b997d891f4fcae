using System.Globalization;

namespace Snapshot.TestPrograms;

/// <summary>
/// A session in an address window, as each process of a job has one: two arenas, a fiber in one of them that
/// counts, a checkpoint.
/// </summary>
internal static class WindowedSession
{
    internal const int Cells = 1 << 16;

    internal static int Run(string store, int index)
    {
        using SnapshotSession session = SnapshotSession.Create(
            store, new SnapshotOptions { AddressWindow = new AddressWindow(index) });
        foreach (string name in new[] { "first", "second" })
        {
            Arena arena = session.OpenArena(name);
            Span<long> cells = arena.RootArray<long>("cells", Cells).AsSpan();
            for (int cell = 0; cell < Cells; cell++) cells[cell] = ((long)index << 32) + cell;
            Console.Write(string.Create(CultureInfo.InvariantCulture, $"{arena.BaseAddress}\n"));
        }

        using Counter counter = new(session);
        session.RequestCheckpoint().WaitCommittedInThread();
        return 0;
    }

    internal struct Turns
    {
        public long Counted;
        public long OfFiber;
        public bool IsOver;
    }

    /// <summary>The fiber, on a worker that runs it until it is told to end.</summary>
    internal sealed class Counter : IDisposable
    {
        private readonly ArenaPointer<Turns> _turns;
        private readonly Thread _worker;

        /// <summary>Returns when the fiber counts.</summary>
        internal unsafe Counter(SnapshotSession session)
        {
            Arena arena = session.OpenArena("first");
            _turns = new ArenaPointer<Turns>(arena.RootPointer<Turns>("turns"));
            long before = _turns.Value.Counted;
            _worker = new Thread(
                () => session.RunFibers("counter", arena, () => Fiber.Start(_turns, Count)));
            _worker.Start();
            while (Volatile.Read(ref _turns.Value.Counted) < before + 100) Thread.Yield();
        }

        /// <summary>Ends the fiber. What it kept in its frame is then in the arena.</summary>
        public void Dispose()
        {
            Volatile.Write(ref _turns.Value.IsOver, true);
            _worker.Join();
            if (_turns.Value.OfFiber != _turns.Value.Counted)
                throw new InvalidOperationException("the fiber has not gone on where it was");
        }
    }

    private static async FiberTask Count(ArenaPointer<Turns> turns)
    {
        long mine = 0;
        while (!Volatile.Read(ref turns.Value.IsOver))
        {
            turns.Value.Counted++;
            mine++;
            await Fiber.Yield();
        }

        turns.Value.OfFiber = mine;
    }
}
