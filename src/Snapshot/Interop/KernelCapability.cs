namespace Snapshot;

/// <summary>One finding about the machine.</summary>
/// <param name="Name">What was probed.</param>
/// <param name="Available">Whether Snapshot can use it.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Consequence">What follows from it for Snapshot; empty when nothing does.</param>
public sealed record KernelCapability(string Name, bool Available, string Detail, string Consequence);
