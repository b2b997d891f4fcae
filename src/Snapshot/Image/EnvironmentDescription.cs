namespace Snapshot.Inspection;

/// <summary>Where an image was made. For inspection; a restart does not depend on it.</summary>
public sealed class EnvironmentDescription
{
    internal EnvironmentDescription(
        string libraryVersion, string runtimeVersion, string operatingSystem, string architecture,
        string? machineName,
        string? processCommand)
    {
        LibraryVersion = libraryVersion;
        RuntimeVersion = runtimeVersion;
        OperatingSystem = operatingSystem;
        Architecture = architecture;
        MachineName = machineName;
        ProcessCommand = processCommand;
    }

    /// <summary>The version of Snapshot.</summary>
    public string LibraryVersion { get; }

    /// <summary>The version of .NET.</summary>
    public string RuntimeVersion { get; }

    /// <summary>The operating system and its version.</summary>
    public string OperatingSystem { get; }

    /// <summary>The processor architecture.</summary>
    public string Architecture { get; }

    /// <summary>The name of the machine, or null when it was not recorded.</summary>
    public string? MachineName { get; }

    /// <summary>The command of the process, or null when it was not recorded.</summary>
    public string? ProcessCommand { get; }
}
