using System.Diagnostics;
using System.Text.RegularExpressions;
using HeatRanks;
using Snapshot.Mpi;
using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Tests.Faults;
using Snapshot.Tests.Library;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>Jobs of programs in C, Fortran and Python, over the library and what their own mpicc compiles.
/// </summary>
[Needs(Programs = ["cc"], Toolchain = true)]
public sealed class JobLibraryTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    private string Job => _workshop.PathOf("job");

    [MachineTheory]
    [InlineData("openmpi")]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void What_is_refused_is_refused_on_all_ranks_and_the_job_goes_on(string family)
    {
        string program = Build(family);
        RankRun first = Run(family, 2, program, "first", Job);
        Assert.Equal(MpiJob.RunMeAgain, first.ExitCode);
        const string Message = "Rank 1 has not received a message from rank 0 with tag 42 (24 bytes). It " +
            "would be lost: call snapshot_job_poll where everything that was sent has been received.";
        const string Aborted = "Checkpoint 1 was aborted by handler 'abort' with code 7.";
        (string Own, string Other)[] expected =
        [
            ("open MISUSE MPI is not running in this process", ""),
            ("open INVALID_ARGUMENT The session of a job sets keep", ""),
            ("open INVALID_ARGUMENT snapshot_job_options has one of every_steps", ""),
            ("open INVALID_ARGUMENT 'KILL' is no signal", ""),
            ("close the session MISUSE This session is of a job", ""),
            ($"message OPEN_MESSAGE {Message}", $"message RANK_FAILED Rank 1 failed: {Message}"),
            ($"abort ABORTED {Aborted}", $"abort RANK_FAILED Rank 1 failed: {Aborted}"),
            ($"failure ABORTED {Aborted}", $"failure RANK_FAILED Rank 1 failed: {Aborted}"),
            ("published good", ""), ("failure good", ""), ("generation 1", ""),
            ("signal 10", "signal 0"), ("close good", ""), ("again MISUSE The job was closed", ""),
            ("copied 3", ""),
        ];
        for (int rank = 0; rank < 2; rank++)
        {
            string[] said = first.SaidBy(rank);
            Assert.Equal(expected.Length, said.Length);
            foreach (((string own, string other), string line) in expected.Zip(said))
                Assert.StartsWith(rank == 0 && other != "" ? other : own, line, StringComparison.Ordinal);
        }

        // The other rank has a copy.
        Directory.Delete(new JobPlaces(Job).StoreOf(1), recursive: true);
        RankRun second = Run(family, 2, program, "second", Job).Good();
        for (int rank = 0; rank < 2; rank++)
        {
            string[] said = second.SaidBy(rank);
            Assert.Equal($"from 2 at its step, level {rank}, skipped ''", said[1]);
            Match steps = Regex.Match(
                said[2],
                @"^poll OUT_OF_STEP One rank polled at step (\d+) when another did at step (\d+)\.");
            Assert.True(steps.Success, said[2]);
            Assert.Equal(
                int.Parse(steps.Groups[1].Value, null) + 1, int.Parse(steps.Groups[2].Value, null));
        }

        Assert.StartsWith(
            $"open LAYOUT_MISMATCH '{Job}' is of a job of 2 ranks, and this one has 1.",
            Run(family, 1, program, "alone", Job).SaidBy(0)[1], StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Killed_at_random_a_job_of_Open_MPI_comes_to_the_same_bits() => Kill("openmpi");

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public void Killed_at_random_a_job_of_MPICH_comes_to_the_same_bits() => Kill("mpich");

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void The_program_of_the_document_goes_on() => RunTwice(
        "openmpi", "rod.c", Block("c"), "mpicc.openmpi", "-std=c11", "-Wconversion");

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpicxx.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void The_program_of_the_document_in_Cpp_goes_on() => RunTwice(
        "openmpi",
        "rod.cpp", Block("cpp"), "mpicxx.openmpi", "-std=c++17", "-DOMPI_SKIP_MPICXX", "-Wconversion");

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich", "mpif90.mpich", "mpirun.mpich"], Toolchain = true)]
    public void The_program_of_the_document_in_Fortran_goes_on() => RunTwice(
        "mpich", "rod.f90", Block("fortran"), "mpif90.mpich", FortranTests.Module, FortranTests.RanksModule);

    [MachineFact]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true, Numpy = true)]
    public void A_program_in_Python_goes_on_and_is_told_of_what_failed()
    {
        MpiCommands mpi = MpiCommands.Find("mpich");
        string calls = _workshop.PathOf("calls.so");
        MpiCompiler.Build(mpi.Compile, calls);
        for (int half = 1; half <= 2; half++)
        {
            RankRun run = RankRun.Of(Repository.Run(InPython(mpi, calls, $"{100 * half}"))).Good();
            for (int rank = 0; rank < 2; rank++)
            {
                string[] said = run.SaidBy(rank);
                Assert.StartsWith(
                    $"MISUSE: The MPI that {calls} was compiled for is not running", said[0],
                    StringComparison.Ordinal);
                Assert.StartsWith("INVALID_ARGUMENT: snapshot_job", said[1], StringComparison.Ordinal);
                Assert.Matches(half == 1 ? "^from 0 False True LOCAL ''$" : "^from [1-9]+ True True LOCAL ''$", said[2]);
                Assert.Matches(
                    rank == 1
                        ? @"^ABORTED: .* after ValueError\('not now'\)$"
                        : @"^RANK_FAILED: Rank 1 failed: Checkpoint \d+ was aborted by handler 'fails'",
                    said[3]);
                Assert.StartsWith(said[4], said[3], StringComparison.Ordinal);
                Assert.Equal([$"True None False {100000 * half * (rank + 1)}.0", "True PARTNER SHARED"], said[5..]);
            }
        }
    }

    /// <remarks>It needs mpi4py to run.</remarks>
    [MachineFact]
    [Needs(Numpy = true)]
    public void The_program_of_the_document_in_Python_compiles()
    {
        string file = _workshop.PathOf("rod.py");
        File.WriteAllText(file, Block("python"));
        Repository.Run(_workshop.PathOf(""), PythonProgram.Path, "-m", "py_compile", file).Good();
    }

    [MachineFact]
    [Needs(Programs = ["mpicc.openmpi", "mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public void What_was_compiled_for_another_MPI_is_refused()
    {
        string program = Build("mpich");
        _workshop.MakeMpiLibrary(MpiCommands.Find("openmpi").Compile);
        RankRun run = Run("mpich", 2, program, "alone", Job).Good();
        for (int rank = 0; rank < 2; rank++)
        {
            Assert.StartsWith(
                "open NATIVE_LIBRARY 'snapshot_mpi.c' is not usable: it was compiled for another MPI than",
                run.SaidBy(rank)[1], StringComparison.Ordinal);
        }
    }

    public void Dispose() => _workshop.Dispose();

    private static RankRun Run(string family, int ranks, params string[] command) =>
        RankRun.Of(Repository.Run(MpiCommands.Find(family).Start(ranks, command)));

    private static string Block(string language) => Assert.Single(
        Regex.Matches(
            File.ReadAllText(Path.Combine(Repository.Root, "docs/RANKS.md")), $"^```{language}\n(.*?)^```",
            RegexOptions.Multiline | RegexOptions.Singleline)).Groups[1].Value;

    /// <summary>The second time it has no step to do, and says the same.</summary>
    private void RunTwice(string family, string name, string source, params string[] compiler)
    {
        _workshop.MakeMpiLibrary(MpiCommands.Find(family).Compile);
        string file = _workshop.PathOf(name);
        File.WriteAllText(file, source);
        string program = _workshop.BuildRanks([file], [.. compiler, "-Wall", "-Wextra", "-Werror"]);
        string first = Said(family, program);
        Assert.StartsWith("rank 0: 72.517616371\nrank 1: ", first, StringComparison.Ordinal);
        long newest = JobManifestFile.Read(_workshop.PathOf("rod.job"))!.Newest!.Generation;
        Assert.Equal(first, Said(family, program));
        Assert.InRange(
            JobManifestFile.Read(_workshop.PathOf("rod.job"))!.Newest!.Generation, newest, newest + 1);
    }

    private ProcessStartInfo InPython(MpiCommands mpi, string calls, string steps)
    {
        ProcessStartInfo start = mpi.Start(
            2, [PythonProgram.Path, Path.Combine(LibraryWorkshop.Sources, "job.py"), Job, steps]);
        start.Environment["PYTHONPATH"] = PythonProgram.Packages;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["SNAPSHOT_LIBRARY"] = Path.Combine(_workshop.Libraries, "libsnapshot.so.0");
        start.Environment["SNAPSHOT_MPI"] = calls;
        return start;
    }

    private string Said(string family, string program)
    {
        ProcessStartInfo start = MpiCommands.Find(family).Start(2, [program]);
        start.WorkingDirectory = _workshop.PathOf("");
        return string.Join('\n', Repository.Run(start).Good().Split('\n').Order(StringComparer.Ordinal)
            .Where(line => line.Length > 0));
    }

    private string Build(string family)
    {
        string compiler = MpiCommands.Find(family).Compile;
        _workshop.MakeMpiLibrary(compiler);
        return _workshop.BuildRanks(
            [Path.Combine(LibraryWorkshop.Sources, "job.c")],
            compiler, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Werror");
    }

    private void Kill(string family)
    {
        int kills = Soak.IsLong ? 40 : 1;
        RankOptions options = new(
            Size: 600, Steps: Soak.IsLong ? 60_000 : 5_000, EverySteps: 100, RestartFill.Lazy, Job);
        Directory.CreateDirectory(Job);
        RanksReport report = new RanksDemo(
            MpiCommands.Find(family), "c", ranks: 2, kills, FaultSeed.Value, options)
            .RunAsync(static _ => { }).GetAwaiter().GetResult();
        Assert.Equal(report.ExpectedChecksum, report.Checksum);
        Assert.Equal(kills, report.Kills);
        Assert.True(report.Generations > 0, $"{report}");
    }
}
