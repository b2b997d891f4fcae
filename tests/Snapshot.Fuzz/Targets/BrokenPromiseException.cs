namespace Snapshot.Fuzz.Targets;

/// <summary>A reader accepted what it must refuse, or took more memory than it may.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
