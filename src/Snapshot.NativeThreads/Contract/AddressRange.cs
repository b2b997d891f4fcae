namespace Snapshot.NativeThreads;

/// <summary>A range of addresses as a module is linked.</summary>
/// <param name="Start">The first address.</param>
/// <param name="Length">In bytes; the end does not overflow.</param>
internal readonly record struct AddressRange(ulong Start, ulong Length)
{
    /// <summary>The unit of protection.</summary>
    internal const ulong PageSize = 4096;

    /// <summary>The address after the last.</summary>
    internal ulong End => Start + Length;

    internal static AddressRange Between(ulong start, ulong end) => new(start, end > start ? end - start : 0);

    internal bool Contains(ulong address) => address >= Start && address - Start < Length;

    internal bool Contains(ulong address, ulong length) =>
        address >= Start && address - Start <= Length && length <= Length - (address - Start);

    /// <summary>The pages that have a byte of it.</summary>
    internal AddressRange WholePages() => Between(RoundDown(Start), RoundDown(End + PageSize - 1));

    /// <summary>
    /// What the dynamic linker protects of a range that is read-only after relocation: not its last part of a
    /// page.
    /// </summary>
    internal AddressRange ProtectedPages() => Between(RoundDown(Start), RoundDown(End));

    /// <summary>What is left of it without another range, lowest first.</summary>
    internal IEnumerable<AddressRange> Without(AddressRange other)
    {
        AddressRange below = Between(Start, Math.Min(End, other.Start));
        AddressRange above = Between(Math.Max(Start, other.End), End);
        if (other.Length == 0) return [this];
        return ((AddressRange[])[below, above]).Where(range => range.Length > 0);
    }

    public override string ToString() => $"0x{Start:x}-0x{End:x}";

    private static ulong RoundDown(ulong address) => address & ~(PageSize - 1);
}
