using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// The C part's own tests of native threads: interrupted in malloc, memcpy, printf, the vdso, a blocked read,
/// another signal's handler, the first and last instructions of a thread; killed at random, and continued.
/// </summary>
public sealed class NativeRuntimeTests(ITestOutputHelper output) : IDisposable
{
    private const int ShortKills = 15;
    private const int KillsInAMinute = 150;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-runtime-");

    [MachineFact]
    [Needs(Programs = ["g++"], Toolchain = true)]
    public void The_runtime_of_native_threads_keeps_its_promises()
    {
        string build = Path.Combine(Repository.Root, "src/Native/threads/tests/build.sh");
        Succeeds("sh", build, _folder.FullName);
        Succeeds("./heap_test");
        int kills = Math.Max(ShortKills, (int)(Soak.Time(0).TotalMinutes * KillsInAMinute));
        string text = Succeeds("./threads_test", $"{kills}", "20261125");
        Assert.EndsWith("threads: ok\n", text, StringComparison.Ordinal);
        output.WriteLine(text);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Succeeds(string program, params string[] arguments)
    {
        string path = program.StartsWith("./", StringComparison.Ordinal)
            ? Path.Combine(_folder.FullName, program[2..])
            : program;
        ProgramResult result = Repository.Run(_folder.FullName, path, arguments);
        Assert.True(result.ExitCode == 0, $"{program}: {result}");
        return result.Output;
    }
}
