using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.TestPrograms;

/// <summary>
/// Something is mapped where arenas begin, and the process map may not show it: arenas lie above.
/// </summary>
internal static unsafe class HiddenPlace
{
    private const ulong Taken = 1UL << 30;

    internal static int Run(string store)
    {
        NativeError.ThrowIfFailed(
            Native.sn_memory_reserve(AddressSpace.LowestBase, Taken), "mmap",
            "This range is free in a new process.");
        using SnapshotSession session = SnapshotSession.Open(store);
        for (int i = 0; i < 3; i++)
        {
            Arena arena = session.OpenArena($"arena {i}", new ArenaOptions { Capacity = 64 << 20 });
            bool isAbove = (ulong)arena.BaseAddress >= AddressSpace.LowestBase + Taken;
            Console.Write($"arena {i}: {(isAbove ? "above" : "in what is taken")}\n");
        }

        return 0;
    }
}
