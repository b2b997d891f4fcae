using System.Diagnostics;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>
/// A test that is skipped where the compiler cannot link the address and undefined-behaviour sanitizers.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SanitizerFactAttribute : FactAttribute
{
    internal const string Flags = "-fsanitize=address,undefined -fno-sanitize-recover=all";

    private static readonly bool s_present = Probe();

    /// <summary>Probes once a process.</summary>
    public SanitizerFactAttribute()
    {
        if (!s_present)
            Skip =
                "the C compiler cannot link -fsanitize=address,undefined (Debian: its runtimes are part of " +
                "gcc)";
    }

    private static bool Probe()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-sanitizer-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "empty.c"), "int main(void) { return 0; }\n");
            return Repository.Run(directory.FullName, "cc", [.. Flags.Split(' '), "empty.c"]).ExitCode == 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
