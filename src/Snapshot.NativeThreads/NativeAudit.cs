using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>Looks through what is captured of native threads for pointers out of it.</summary>
/// <remarks>
/// Conservative, as of a collector: any word whose value is an address of a mapping that is not captured. In
/// memory that was freed, or below what a thread still uses of its stack, such words are left over and
/// harmless; a number is hardly ever taken for an address. For one thread at a time, while all native threads
/// are stopped.
/// </remarks>
/// <param name="space">The native threads.</param>
/// <param name="arenas">All arenas of the session.</param>
/// <param name="report">Told of each.</param>
internal sealed unsafe class NativeAudit(
    NativeSpace space, Func<IReadOnlyList<Arena>> arenas, Action<NativeFinding> report)
{
    /// <summary>Findings of one checkpoint; where there are as many, more say nothing new.</summary>
    private const int FindingsMax = 1000;

    private const int RedZone = 128;

    /// <summary>
    /// In the kernel's frame (ucontext_t, x86-64): the general registers, and which of them is the stack
    /// pointer.
    /// </summary>
    private const int RegistersAt = 40;
    private const int RegisterCount = 17;
    private const int StackPointer = 15;

    /// <summary>
    /// From here up to the arenas there is nothing that is not at its address in every process.
    /// </summary>
    private const ulong FixedStart = 0x1800_0000_0000;
    private const ulong FixedEnd = 0x2000_0000_0000;

    private List<ProcessMapping> _foreign = [];
    private int _findings;

    internal void Run()
    {
        AddressRange[] captured = [.. arenas().Select(
            arena => new AddressRange((ulong)arena.BaseAddress, (ulong)arena.Capacity))];
        _foreign = [.. ProcessMap.All().Where(mapping => IsForeign(mapping, captured))];
        _findings = 0;
        for (NativeEntry* entry = space.FirstEntry; entry != null; entry = entry->Next)
            LookAt(NativeRecord.Of(entry));
        foreach (NativeModule module in space.Modules)
        {
            foreach (AddressRange range in module.Manifest.Writable)
                LookAt((ulong*)range.Start, (ulong*)range.End, $"a variable of {module.Name}");
        }

        ulong first, end;
        NativeRuntime.snt_heap_used(&first, &end);
        LookAt((ulong*)first, (ulong*)end, "the heap of native modules");
    }

    private static bool IsForeign(ProcessMapping mapping, AddressRange[] captured) =>
        !(mapping.Start >= FixedStart && mapping.End <= FixedEnd)
        && !Array.Exists(captured, range => range.Contains(mapping.Start));

    private void LookAt(NativeRecord* record)
    {
        if (NativeRecord.StateOf(record) != NativeState.Running || record->Frame == 0) return;
        string name = NativeRecord.NameOf(record);
        ulong* registers = (ulong*)(record->Frame + RegistersAt);
        for (int register = 0; register < RegisterCount; register++)
            LookAt(registers[register], 0, $"a register of native thread '{name}'");
        ulong low = Math.Max(registers[StackPointer] - RedZone, record->StackLow) & ~7UL;
        LookAt((ulong*)low, (ulong*)record->StackHigh, $"the stack of native thread '{name}'");
    }

    private void LookAt(ulong* word, ulong* end, string where)
    {
        for (; word < end; word++)
        {
            // Most words are no addresses at all.
            if (*word >= (ulong)Pages.Size) LookAt(*word, (nint)word, where);
        }
    }

    private void LookAt(ulong value, nint address, string where)
    {
        if (_findings == FindingsMax) return;
        foreach (ProcessMapping mapping in _foreign)
        {
            if (value < mapping.Start || value >= mapping.End) continue;
            _findings++;
            string what = mapping.Line.Contains(".so", StringComparison.Ordinal)
                ? NativeRuntime.Describe(value)
                : mapping.Line;
            report(new NativeFinding(where, address, (nint)value, what));
            return;
        }
    }
}
