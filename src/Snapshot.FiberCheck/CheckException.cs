namespace Snapshot.FiberCheck;

/// <summary>The check cannot be made: its command line or its files are not what they should be.</summary>
internal sealed class CheckException(string message) : Exception(message);
