using Snapshot.Tests.FrontDoor;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Library;

/// <summary>A Python that has numpy: of the PATH, or of the system.</summary>
internal static class PythonProgram
{
    private static readonly Lazy<string?> s_path = new(Find);

    /// <summary>Its path, where there is one.</summary>
    internal static string Path => s_path.Value!;

    /// <summary>Why there is none, or null.</summary>
    internal static string? Missing => s_path.Value is null ? "no python3 here has numpy" : null;

    /// <summary>The folder that has the package, in the sources.</summary>
    internal static string Packages => System.IO.Path.Combine(Repository.Root, "src/Snapshot.C/python");

    private static string? Find() => new[] { BareMachine.FindOnPath("python3"), "/usr/bin/python3" }
        .FirstOrDefault(
            path => File.Exists(path) && Repository.Run("/", path, "-c", "import numpy").ExitCode == 0);
}
