using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// Files of the C part call downwards only; the order is at the head of block.h, and of native_thread.h for
/// the runtime of native threads.
/// </summary>
public sealed class CallGraphTests : IDisposable
{
    private const string Library = "src/Native";
    private const string Threads = "src/Native/threads";
    private const string Programs = "src/Native/threads/program";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-calls-");

    [MachineFact]
    [Needs(Programs = ["cc", "nm"], Toolchain = true)]
    public void No_files_of_the_library_call_each_other_in_a_circle() => AssertNoCircle(Library, "slots.c");

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["cc", "nm"], Toolchain = true)]
    public void No_files_of_the_runtime_of_native_threads_do() => AssertNoCircle(Threads, "entry.S");

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["cc", "nm"], Toolchain = true)]
    public void No_files_of_what_whole_programs_get_do() => AssertNoCircle(Programs, "change.c");

    [MachineFact]
    [Needs(Programs = ["cc", "nm"], Toolchain = true)]
    public void A_call_upwards_is_found() => Assert.Equal(
        "slots.c → open.c → slots.c",
        CircleWith(Library, "slots.c", "int32_t sn_up(void) { return sn_region_open(0, 0, 0, 0); }"));

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["cc", "nm"], Toolchain = true)]
    public void A_call_upwards_is_found_by_way_of_other_files() => Assert.Equal(
        "stop.c → worker.c → question.c → stop.c",
        CircleWith(Threads, "worker.c", "uint64_t snt_up(void) { return snt_ask(0, 0, 0); }"));

    public void Dispose() => _folder.Delete(recursive: true);

    private void AssertNoCircle(string folder, string one)
    {
        CallGraph graph = CallGraph.Of(Path.Combine(Repository.Root, folder), New("objects"));
        Assert.Contains(one, graph.Files);
        Assert.Null(graph.Circle());
    }

    /// <summary>What is found in a copy of a folder in which one file has one function more.</summary>
    private string? CircleWith(string folder, string file, string function)
    {
        string sources = New("Native");
        foreach (string source in Repository.Sources(Library, ".c", ".h", ".S"))
        {
            string target =
                Path.Combine(sources, Path.GetRelativePath(Path.Combine(Repository.Root, Library), source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(source, target);
        }

        string copy = Path.Combine(sources, Path.GetRelativePath(Library, folder));
        File.AppendAllText(Path.Combine(copy, file), function);
        return CallGraph.Of(copy, New("objects")).Circle();
    }

    private string New(string name) => _folder.CreateSubdirectory(name).FullName;
}
