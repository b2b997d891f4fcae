using System.Numerics;

namespace Snapshot.NativeThreads;

/// <summary>The kinds of relocation that matter here; the numbers are those of the x86-64 ABI.</summary>
internal enum ElfRelocationKind : uint
{
    None = 0,
    Address = 1,
    Copy = 5,
    GlobalData = 6,
    JumpSlot = 7,
    Relative = 8,
    ThreadLocalModule = 16,
    ThreadLocalOffset = 17,
    ThreadPointerOffset = 18,
    ThreadLocalDescriptor = 36,
    IndirectRelative = 37,
}

/// <summary>One word that the dynamic linker writes when it loads the library.</summary>
/// <param name="Address">Where, as linked.</param>
/// <param name="Kind">What.</param>
/// <param name="Symbol">The index of the dynamic symbol it refers to; 0 for none.</param>
/// <param name="Addend">What is added; for a reference without a symbol, what it means.</param>
internal readonly record struct ElfRelocation(
    ulong Address, ElfRelocationKind Kind, uint Symbol, ulong Addend)
{
    private const ulong EntrySize = 24;
    private const ulong WordSize = 8;

    internal static IReadOnlyList<ElfRelocation> ReadAll(ElfImage image)
    {
        ElfDynamic dynamic = image.Dynamic;
        if (dynamic.Has(ElfTag.RelocationsWithoutAddend))
            throw image.Bytes.Foreign(
                "it has relocations without addends (DT_REL), which x86-64 does not use");
        if (dynamic[ElfTag.JumpSlotsKind] is { } kind && kind != (ulong)ElfTag.Relocations)
            throw image.Bytes.Foreign($"its linkage table has relocations of kind {kind} (DT_PLTREL)");
        List<ElfRelocation> relocations = [];
        AddTable(image, relocations, dynamic[ElfTag.Relocations], dynamic[ElfTag.RelocationsSize]);
        AddTable(image, relocations, dynamic[ElfTag.JumpSlots], dynamic[ElfTag.JumpSlotsSize]);
        AddRelative(image, relocations, dynamic[ElfTag.Relative], dynamic[ElfTag.RelativeSize]);
        return relocations;
    }

    private static void AddTable(ElfImage image, List<ElfRelocation> relocations, ulong? table, ulong? size)
    {
        if (table is not { } address || size is not { } length || length == 0) return;
        ulong offset = image.OffsetOf(address, length);
        if (length % EntrySize != 0)
            throw image.Bytes.Damaged(offset, $"{length} bytes are no table of relocations");
        for (ulong at = offset; at < offset + length; at += EntrySize)
        {
            ulong info = image.Bytes.U64(at + 8);
            relocations.Add(new ElfRelocation(
                image.Bytes.U64(at), (ElfRelocationKind)(uint)info, (uint)(info >> 32),
                image.Bytes.U64(at + 16)));
        }
    }

    /// <summary>
    /// The packed form (DT_RELR): an even word is the address of a word to relocate; an odd one says by its
    /// bits which of the 63 words after the last are relocated too.
    /// </summary>
    private static void AddRelative(
        ElfImage image, List<ElfRelocation> relocations, ulong? table, ulong? size)
    {
        if (table is not { } address || size is not { } length || length == 0) return;
        ulong offset = image.OffsetOf(address, length);
        if (length % WordSize != 0)
            throw image.Bytes.Damaged(offset, $"{length} bytes are no table of addresses");
        ulong next = 0;
        for (ulong at = offset; at < offset + length; at += WordSize)
        {
            ulong word = image.Bytes.U64(at);
            if ((word & 1) == 0)
            {
                relocations.Add(Relative(word));
                next = word + WordSize;
                continue;
            }

            for (ulong bits = word >> 1; bits != 0; bits &= bits - 1)
                relocations.Add(Relative(next + WordSize * (ulong)BitOperations.TrailingZeroCount(bits)));
            next += 63 * WordSize;
        }
    }

    private static ElfRelocation Relative(ulong address) => new(address, ElfRelocationKind.Relative, 0, 0);
}
