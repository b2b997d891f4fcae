namespace Snapshot.NativeThreads;

/// <summary>How many dynamic symbols there are, which no field of the file says.</summary>
/// <remarks>
/// The hash tables tell it; but that of GNU lists only what the library defines. So all that relocations
/// refer to counts too: what is not defined and not referred to does not matter.
/// </remarks>
internal static class ElfSymbolCount
{
    internal static ulong Of(ElfImage image)
    {
        ulong count = 1;
        foreach (ElfRelocation relocation in image.Relocations)
            count = Math.Max(count, relocation.Symbol + 1UL);
        if (image.Dynamic[ElfTag.Hash] is { } hash)
            count = Math.Max(count, image.Bytes.U32(image.OffsetOf(hash, 8) + 4));
        if (image.Dynamic[ElfTag.GnuHash] is { } gnu) count = Math.Max(count, OfGnuHash(image, gnu));
        return count;
    }

    /// <summary>
    /// Header (buckets, index of the first hashed symbol, words of the filter, a shift), filter, buckets, and
    /// for each symbol a word whose lowest bit ends its bucket's chain: the highest chain leads to the last
    /// symbol.
    /// </summary>
    private static ulong OfGnuHash(ElfImage image, ulong table)
    {
        ulong header = image.OffsetOf(table, 16);
        uint buckets = image.Bytes.U32(header);
        uint first = image.Bytes.U32(header + 4);
        ulong filter = 8UL * image.Bytes.U32(header + 8);
        ulong at = image.OffsetOf(table + 16 + filter, 4UL * buckets);
        uint last = 0;
        for (uint bucket = 0; bucket < buckets; bucket++)
            last = Math.Max(last, image.Bytes.U32(at + 4UL * bucket));
        if (last == 0) return 0;
        if (last < first)
            throw image.Bytes.Damaged(header, $"symbol {last} is hashed, before the first, {first}");
        ulong chains = table + 16 + filter + 4UL * buckets;
        ulong symbol = last;
        while ((image.Bytes.U32(image.OffsetOf(chains + 4 * (symbol - first), 4)) & 1) == 0) symbol++;
        return symbol + 1;
    }
}
