namespace Snapshot.NativeThreads;

/// <summary>
/// A word of captured memory that points out of it: to what is elsewhere, or is something else, in the next
/// process.
/// </summary>
public sealed class NativeFinding
{
    internal NativeFinding(string where, nint address, nint value, string pointsTo)
    {
        Where = where;
        Address = address;
        Value = value;
        PointsTo = pointsTo;
    }

    /// <summary>Whose it is: a register or the stack of a thread, a variable of a module, the heap.</summary>
    public string Where { get; }

    /// <summary>Of the word; 0 for a register.</summary>
    internal nint Address { get; }

    /// <summary>What it holds.</summary>
    public nint Value { get; }

    /// <summary>What is there: a function and its library, or the kernel's line about the mapping.</summary>
    public string PointsTo { get; }

    /// <summary>A line for a log.</summary>
    public override string ToString() =>
        Address == 0
            ? $"{Where} holds 0x{Value:x}: {PointsTo}"
            : $"{Where}, at 0x{Address:x}, holds 0x{Value:x}: {PointsTo}";
}
