using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>The C part's own tests, in C, built with sanitizers.</summary>
public sealed class NativeCodeTests
{
    private const string Flags = "-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wconversion -g -O1 -pthread";

    [SanitizerFact]
    public void The_tests_of_the_C_part_pass_under_the_sanitizers()
    {
        DirectoryInfo output = Directory.CreateTempSubdirectory("snapshot-native-");
        try
        {
            // What is in threads/ is another library, which handles signals on stacks that the sanitizers do
            // not know.
            string[] sources = [.. Repository.Sources("src/Native", ".c")
                .Where(file => !file.Contains("/threads/", StringComparison.Ordinal))];
            string[] flags = [.. Flags.Split(' '), .. SanitizerFactAttribute.Flags.Split(' ')];
            ProgramResult compiled =
                Repository.Run(output.FullName, "cc", [.. flags, "-o", "tests", .. sources]);
            Assert.True(compiled.ExitCode == 0, compiled.ToString());
            ProgramResult run = Repository.Run(output.FullName, Path.Combine(output.FullName, "tests"));
            Assert.True(run.ExitCode == 0, run.ToString());
            Assert.EndsWith("thread: ok\n", run.Output, StringComparison.Ordinal);
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }
}
