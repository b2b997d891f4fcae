namespace Snapshot;

/// <summary>
/// A word of captured memory that points out of it: to what is elsewhere, or is something else, in the next process.
/// </summary>
/// <param name="Where">Whose it is: a register or the stack of a thread, a variable of a module, the heap.</param>
/// <param name="Address">Of the word; 0 for a register.</param>
/// <param name="Value">What it holds.</param>
/// <param name="PointsTo">What is there: a function and its library, or the kernel's line about the mapping.</param>
public sealed record NativeFinding(string Where, nint Address, nint Value, string PointsTo);
