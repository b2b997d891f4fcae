using System.Reflection;
using Snapshot.NativeThreads;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Native threads are an assembly of their own, and the core does without it.</summary>
public sealed class NativeThreadsApartTests : IDisposable
{
    private const string Apart = "Snapshot.NativeThreads";

    private static readonly Assembly s_core = typeof(SnapshotSession).Assembly;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-core-alone-");
    private readonly TemporaryStore _store = new();

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _store.Dispose();
    }

    [Fact]
    public void The_core_refers_to_no_native_threads_and_has_no_type_of_theirs()
    {
        Assembly apart = typeof(NativeHost).Assembly;
        Assert.Equal(Apart, apart.GetName().Name);
        Assert.Contains(apart.GetReferencedAssemblies(), name => name.Name == s_core.GetName().Name);
        Assert.DoesNotContain(s_core.GetReferencedAssemblies(), name => name.Name == Apart);
        Assert.DoesNotContain(s_core.GetTypes(), type => type.Namespace == Apart);
    }

    [SourcesFact]
    public void The_core_does_not_name_what_native_threads_are_made_of()
    {
        string[] words = ["glibc", "libsnapshot_threads", "snapshot-cc", "snt_", "xgetbv", "cpuid.h"];
        IEnumerable<string> sources =
        [
            .. Repository.Sources("src/Snapshot", ".cs", ".csproj", ".targets"),
            .. Repository.Sources("src/Native", ".c", ".h").Where(file => Path.GetFileName(
                Path.GetDirectoryName(file)) == "Native"),
        ];
        Assert.NotEmpty(sources);
        Assert.All(sources, file => Assert.DoesNotContain(
            words, word => File.ReadAllText(file).Contains(word, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_program_is_killed_and_goes_on_where_native_threads_are_not_there()
    {
        CopyCore();
        using (TestProgram first = new(_folder.FullName, [], "founding-fibers", _store.Path))
            Assert.Equal("end: entered 1, too early 0", first.ReadUntil("end:")[^1]);
        using TestProgram second = new(_folder.FullName, [], "founding-fibers", _store.Path);
        List<string> again = second.ReadUntil("end:");
        Assert.Equal("restarted: mutex held, entered 0", again[0]);
        Assert.Equal("end: entered 1, too early 0", again[^1]);
    }

    [Fact]
    public void A_program_that_opens_native_threads_says_which_assembly_is_missing()
    {
        CopyCore();
        using TestProgram program = new(_folder.FullName, [], "native-twice", _store.Path);
        (int exitCode, _, string error) = program.WaitForEnd();
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"'{Apart}, ", error, StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Capability.NativeThreads)]
    public void Without_their_runtime_native_threads_are_refused_by_its_name()
    {
        CopyCore($"{Apart}.dll");
        using TestProgram program = new(_folder.FullName, [], "native-twice", _store.Path);
        (int exitCode, _, string error) = program.WaitForEnd();
        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            "libsnapshot_threads.so, which native threads need, could not", error, StringComparison.Ordinal);
    }

    /// <summary>
    /// The test programs with the core and what it needs. Without the list of what belongs to them
    /// (.deps.json), which would have the host of .NET ask for what is left out.
    /// </summary>
    private void CopyCore(params string[] alsoThese)
    {
        string[] patterns =
        [
            "Snapshot.TestPrograms.dll", "Snapshot.TestPrograms.runtimeconfig.json", "Snapshot.dll",
            "libsnapshot_native.so", "System.IO.Hashing.dll", "System.Numerics.Tensors.dll", "K4os.*.dll",
            .. alsoThese,
        ];
        foreach (string file in patterns.SelectMany(
            pattern => Directory.GetFiles(AppContext.BaseDirectory, pattern)))
            File.Copy(file, Path.Combine(_folder.FullName, Path.GetFileName(file)));
    }
}
