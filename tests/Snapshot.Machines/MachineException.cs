namespace Snapshot.Machines;

/// <summary>
/// Something that is missing here, or that a program of this machine refused; says what, and what to do.
/// </summary>
internal sealed class MachineException(string message) : Exception(message);
