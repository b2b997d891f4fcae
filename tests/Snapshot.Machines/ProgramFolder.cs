namespace Snapshot.Machines;

/// <summary>Where the programs are that a guest runs.</summary>
internal static class ProgramFolder
{
    /// <summary>The samples and the command `snapshot`, which were built with this program.</summary>
    internal static string Samples => AppContext.BaseDirectory;

    /// <summary>
    /// The tests, and what is in <see cref="Samples"/>, too; in the configuration of this program.
    /// </summary>
    /// <exception cref="MachineException">They are not built.</exception>
    internal static string Tests()
    {
        string configuration = Path.GetFileName(Path.GetDirectoryName(Samples.TrimEnd('/')))!;
        for (string? folder = Samples; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string tests = Path.Combine(folder, "tests/Snapshot.Tests/bin", configuration, "net10.0");
            if (File.Exists(Path.Combine(tests, "Snapshot.Tests.dll"))) return tests;
        }

        throw new MachineException(
            $"The tests are not built. Run: dotnet build tests/Snapshot.Tests -c {configuration}");
    }
}
