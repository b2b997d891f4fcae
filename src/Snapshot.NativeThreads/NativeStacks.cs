using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>
/// The memory of one native thread: stack and signal stack, each above a page that nobody may touch.
/// </summary>
/// <remarks>
/// Lowest first: guard, signal stack, guard, stack. If a thread runs over the end of its stack, the process
/// ends before it writes into what is not its own. The guards are excluded from images: nothing that reads
/// memory for one may touch them.
/// </remarks>
internal static unsafe class NativeStacks
{
    private const long Guard = Pages.Size;

    /// <summary>SNT_SIGNAL_STACK_BYTES of native_thread.h.</summary>
    private const long SignalStack = 64 << 10;

    /// <summary>Where the parts are.</summary>
    internal readonly record struct Layout(ulong SignalStack, ulong StackLow);

    internal static Layout LayoutAt(byte* memory) =>
        new((ulong)(memory + Guard), (ulong)(memory + Guard + SignalStack + Guard));

    internal static void* Allocate(Arena arena, long stackBytes, NativeRecord* record)
    {
        byte* memory = (byte*)arena.Allocate(Guard + SignalStack + Guard + stackBytes, (int)Pages.Size);
        (record->SignalStack, record->StackLow) = LayoutAt(memory);
        record->StackHigh = record->StackLow + (ulong)stackBytes;
        foreach (ulong guard in GuardsOf(record)) arena.Exclude((void*)guard, Guard);
        Protect(record);
        return memory;
    }

    /// <summary>
    /// Takes access to the guards away, also in a process that has the memory from an image.
    /// </summary>
    internal static void Protect(NativeRecord* record)
    {
        foreach (ulong guard in GuardsOf(record))
        {
            NativeError.ThrowIfFailed(
                Interop.Native.sn_memory_seal(guard, (ulong)Guard),
                "mprotect",
                "Allow the process more mappings (vm.max_map_count): each native thread needs four.");
        }
    }

    /// <summary>
    /// Reads every page once. After a lazy restart pages come when they are touched, and the kernel's own
    /// touch, when it writes or reads a signal's frame, may not be served.
    /// </summary>
    internal static void Touch(NativeRecord* record)
    {
        for (ulong at = record->SignalStack; at < record->SignalStack + (ulong)SignalStack;
            at += (ulong)Pages.Size)
            _ = Volatile.Read(ref *(byte*)at);
    }

    internal static void Free(Arena arena, NativeRecord* record, void* memory)
    {
        foreach (ulong guard in GuardsOf(record))
        {
            NativeError.ThrowIfFailed(
                Interop.Native.sn_memory_commit(guard, (ulong)Guard), "mprotect",
                "The arena was unmapped meanwhile.");
        }

        arena.Free(memory);
    }

    private static ulong[] GuardsOf(NativeRecord* record) =>
        [record->SignalStack - (ulong)Guard, record->StackLow - (ulong)Guard];
}
