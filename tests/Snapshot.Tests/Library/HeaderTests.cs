using System.Text.RegularExpressions;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>The headers, and what the library shows to programs.</summary>
[Needs(Programs = ["cc", "g++", "readelf", "nm"], Toolchain = true)]
public sealed partial class HeaderTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    [MachineTheory]
    [InlineData("c", "c99")]
    [InlineData("c", "c11")]
    [InlineData("c", "c17")]
    [InlineData("c++", "c++17")]
    [InlineData("c++", "c++2b")]
    public void It_compiles_without_a_warning(string language, string standard)
    {
        string file = _workshop.PathOf("header.txt");
        File.WriteAllText(
            file,
            """
            #include <snapshot_job.h>
            snapshot_options options = SNAPSHOT_OPTIONS;
            snapshot_job_options job = SNAPSHOT_JOB_OPTIONS;
            snapshot_request request = SNAPSHOT_REQUEST;
            snapshot_handler handler = SNAPSHOT_HANDLER;
            int poll(snapshot_participant *participant);
            int poll(snapshot_participant *participant) { return snapshot_poll(participant); }
            """);
        Compile(language == "c" ? "cc" : "g++", language, standard, file);
    }

    [MachineTheory]
    [InlineData("c", "c99")]
    [InlineData("c", "c2x")]
    [InlineData("c++", "c++17")]
    [InlineData("c++", "c++2b")]
    [Needs(Programs = ["mpicc.openmpi", "mpicc.mpich"], Toolchain = true)]
    public void With_MPI_it_compiles_without_a_warning(string language, string standard)
    {
        string file = _workshop.PathOf("header.txt");
        File.WriteAllText(
            file,
            """
            #define OMPI_SKIP_MPICXX
            #ifdef __cplusplus
            #include <snapshot_mpi.hpp>
            #endif
            #include <snapshot_mpi.h>
            int open_job(snapshot_job **job);
            int open_job(snapshot_job **job) { return snapshot_job_open(MPI_COMM_WORLD, "a", 0, job); }
            """);
        foreach (string family in HeatRanks.MpiCommands.Families)
            Compile($"{(language == "c" ? "mpicc" : "mpicxx")}.{family}", language, standard, file);
    }

    [MachineFact]
    public void Every_code_of_the_NET_library_has_the_same_number_in_C()
    {
        string header = File.ReadAllText(Path.Combine(LibraryWorkshop.Headers, "snapshot.h"));
        header = header[header.IndexOf("enum snapshot_code", StringComparison.Ordinal)..];
        header = header[..header.IndexOf("};", StringComparison.Ordinal)];
        Dictionary<string, int> inC = Code().Matches(header).ToDictionary(
            match => match.Groups[1].Value.Replace("_", "", StringComparison.Ordinal),
            match => int.Parse(match.Groups[2].Value),
            StringComparer.OrdinalIgnoreCase);
        foreach (SnapshotErrorCode code in Enum.GetValues<SnapshotErrorCode>())
            Assert.Equal((int)code, inC[code.ToString()]);
        Assert.Equal(Enum.GetValues<SnapshotErrorCode>().Length, inC.Values.Count(number => number < 100));
    }

    [MachineFact]
    public void Programs_see_the_committed_list_under_its_version()
    {
        ProgramResult result = Repository.Run(
            _workshop.Libraries, "nm", "-D", "--defined-only", "libsnapshot.so.0");
        string[] shown = [.. Shown().Matches(result.Output).Select(match => match.Groups[1].Value).Order()];
        string[] listed =
        [
            .. Listed().Matches(
                File.ReadAllText(Path.Combine(Repository.Root, "src/Snapshot.C/libsnapshot.map")))
                .Select(match => match.Groups[1].Value).Order(),
        ];
        Assert.Equal(listed, shown);

        string header = string.Concat(((string[])["snapshot.h", "snapshot_job.h"]).Select(
            name => File.ReadAllText(Path.Combine(LibraryWorkshop.Headers, name))));
        string[] declared = [.. Declared().Matches(header).Select(match => match.Groups[1].Value).Order()];
        Assert.Equal(listed, declared);
    }

    [MachineFact]
    public void It_needs_libc_libm_and_the_loader_and_stays_when_it_is_closed()
    {
        string dynamic = Repository.Run(
            _workshop.Libraries, "readelf", "-dW", "libsnapshot.so.0").Output;
        Assert.Equal(
            ["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"],
            Needed().Matches(dynamic).Select(match => match.Groups[1].Value).Order());
        Assert.Contains("Library soname: [libsnapshot.so.0]", dynamic, StringComparison.Ordinal);
        Assert.Contains("NODELETE", dynamic, StringComparison.Ordinal);
        Assert.InRange(new FileInfo(LibraryWorkshop.Built).Length, 1, 6 << 20);
    }

    [MachineFact]
    public void A_poll_is_one_load_and_one_compare()
    {
        string program = _workshop.Build(
            "poll.c",
            """
            #include <snapshot.h>
            int poll_once(snapshot_participant *participant);
            int poll_once(snapshot_participant *participant) { return snapshot_poll(participant); }
            int main(void) { return 0; }
            """,
            "cc");
        string code = Repository.Run(
            _workshop.PathOf(""), "objdump", "-d", "--no-show-raw-insn", "--disassemble=poll_once", program)
            .Output;
        string[] before = [.. Instruction().Matches(code).Select(match => match.Groups[1].Value)
            .TakeWhile(name => name != "ret")];

        // The pointer, the word, the test, the jump that is not taken, and the result.
        Assert.InRange(before.Length, 4, 6);
        Assert.Single(before, name => name == "jne");
    }

    public void Dispose() => _workshop.Dispose();

    private void Compile(string compiler, string language, string standard, string file)
    {
        ProgramResult result = Repository.Run(
            _workshop.PathOf(""), compiler, "-x", language, $"-std={standard}", "-Wall", "-Wextra",
            "-Wconversion", "-pedantic", "-Werror", $"-I{LibraryWorkshop.Headers}", "-c", file, "-o",
            "/dev/null");
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [GeneratedRegex(@"^\s+SNAPSHOT_([A-Z_]+) = (\d+),? +/\*", RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex(@" T (snapshot_\w+)@@SNAPSHOT_0$", RegexOptions.Multiline)]
    private static partial Regex Shown();

    [GeneratedRegex(@"^\s+(snapshot_\w+);$", RegexOptions.Multiline)]
    private static partial Regex Listed();

    [GeneratedRegex(@"^SNAPSHOT_API [^;(]*?\b(snapshot_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Declared();

    [GeneratedRegex(@"Shared library: \[(.*)\]")]
    private static partial Regex Needed();

    [GeneratedRegex(@"^\s+[0-9a-f]+:\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex Instruction();
}
