namespace Snapshot;

/// <summary>Where an image was made. For inspection; a restart does not depend on it.</summary>
/// <param name="LibraryVersion">The version of Snapshot.</param>
/// <param name="RuntimeVersion">The version of .NET.</param>
/// <param name="OperatingSystem">The operating system and its version.</param>
/// <param name="Architecture">The processor architecture.</param>
/// <param name="MachineName">The name of the machine, or null when it was not recorded.</param>
/// <param name="ProcessCommand">The command of the process, or null when it was not recorded.</param>
public sealed record EnvironmentDescription(
    string LibraryVersion, string RuntimeVersion, string OperatingSystem, string Architecture, string? MachineName,
    string? ProcessCommand);
