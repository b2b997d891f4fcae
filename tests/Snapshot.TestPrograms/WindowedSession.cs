using System.Globalization;

namespace Snapshot.TestPrograms;

/// <summary>
/// A session in an address window, as each process of a job has one: two arenas, a checkpoint.
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

        session.RequestCheckpoint().WaitCommittedInThread();
        return 0;
    }
}
