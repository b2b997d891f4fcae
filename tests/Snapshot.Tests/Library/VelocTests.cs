using System.Diagnostics;
using Snapshot.Tests.Faults;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>VELOC's calls over the library, built by each family of MPI.</summary>
[Needs(Programs = ["cc"], Toolchain = true)]
public sealed class VelocTests : IDisposable
{
    private const int Steps = 150;

    private readonly LibraryWorkshop _workshop = new();

    [MachineTheory]
    [InlineData(false)]
    [InlineData(true)]
    [Needs(Programs = ["mpicc.openmpi"], Toolchain = true)]
    public void Every_call_does_what_VELOC_says(bool isPersistent)
    {
        Build("openmpi");
        string configuration = Configure(isPersistent, "mode = sync");
        foreach (string half in (string[])["first", "second"])
        {
            ProcessStartInfo start = new(_workshop.PathOf("veloc_calls"), [configuration, half]);
            if (isPersistent) start.Environment["VELOC_PERSISTENT"] = _workshop.PathOf("persistent");
            Assert.Equal("0 failures\n", Repository.Run(start).Good());
        }
    }

    [MachineTheory]
    [InlineData("memory")]
    [InlineData("file")]
    [Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void A_killed_job_of_Open_MPI_restarts_with_the_same_field(string mode) => Kill("openmpi", mode);

    [MachineTheory]
    [InlineData("memory")]
    [InlineData("file")]
    [Needs(Programs = ["mpicc.mpich", "mpirun.mpich"], Toolchain = true)]
    public void A_killed_job_of_MPICH_restarts_with_the_same_field(string mode) => Kill("mpich", mode);

    public void Dispose() => _workshop.Dispose();

    /// <summary>
    /// Ranks are killed at random moments, one of them or all, until the job has come to its end.
    /// </summary>
    private void Kill(string family, string mode)
    {
        Build(family);
        string configuration = Configure(isPersistent: true, "mode = async\nmax_versions = 2");
        Start(family, configuration, mode, "expected").WaitForGoodEnd();
        Directory.Delete(_workshop.PathOf("scratch"), recursive: true);
        Directory.Delete(_workshop.PathOf("persistent"), recursive: true);

        Random random = new(FaultSeed.Value);
        int kills = 0;
        for (bool ended = false; !ended;)
        {
            using Job job = Start(family, configuration, mode, "killed");
            ended = kills >= 2 ? job.WaitForGoodEnd() : !job.KillAfter(random.Next(100, 1200));
            if (!ended) kills++;

            // Nodes lose what is local to them, too.
            if (mode == "file" && kills == 1 && Directory.Exists(_workshop.PathOf("scratch")))
                Directory.Delete(_workshop.PathOf("scratch"), recursive: true);
        }

        for (int rank = 0; rank < 2; rank++)
        {
            Assert.Equal(
                File.ReadAllBytes(_workshop.PathOf($"expected.{rank}")),
                File.ReadAllBytes(_workshop.PathOf($"killed.{rank}")));
        }
    }

    private void Build(string family)
    {
        string sources = Path.Combine(Repository.Root, "src/Snapshot.C/veloc");
        string[] warnings = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wconversion",
            "-O2"];
        string[] link = [$"-L{_workshop.Libraries}", $"-Wl,-rpath,{_workshop.Libraries}"];
        Repository.Run(
            sources, $"mpicc.{family}",
            [
                .. warnings, "-shared", "-fPIC", "-Wl,-soname,libveloc-client.so",
                $"-I{LibraryWorkshop.Headers}",
                "-o", Path.Combine(_workshop.Libraries, "libveloc-client.so"),
                .. Directory.EnumerateFiles(sources, "*.c"), .. link, "-lsnapshot",
            ]).Good();
        foreach (string program in (string[])["veloc_calls", "veloc_field"])
        {
            Repository.Run(
                LibraryWorkshop.Sources, $"mpicc.{family}",
                [
                    .. warnings, $"-I{sources}", "-o", _workshop.PathOf(program), $"{program}.c", .. link,
                    "-lveloc-client",
                ]).Good();
        }
    }

    private string Configure(bool isPersistent, string more)
    {
        string path = _workshop.PathOf("veloc.cfg");
        File.WriteAllText(
            path,
            $"# A configuration of VELOC.\nscratch = {_workshop.PathOf("scratch")}\n{more}\n" +
            (isPersistent ? $"persistent = {_workshop.PathOf("persistent")} ; what lasts\n" : ""));
        return path;
    }

    private Job Start(string family, string configuration, string mode, string result)
    {
        string[] more = family == "openmpi" ? ["--oversubscribe", "--allow-run-as-root"] : [];
        return new Job(
            $"mpirun.{family}",
            [
                .. more, "-np", "2", _workshop.PathOf("veloc_field"), configuration, mode, $"{Steps}",
                _workshop.PathOf(result),
            ],
            _workshop.PathOf("veloc_field"));
    }

    /// <summary>A job of ranks that mpirun has started.</summary>
    private sealed class Job(string program, string[] arguments, string rank) : IDisposable
    {
        private readonly Process _mpirun = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;

        internal bool WaitForGoodEnd()
        {
            Task<string> error = _mpirun.StandardError.ReadToEndAsync();
            string output = _mpirun.StandardOutput.ReadToEnd();
            _mpirun.WaitForExit();
            Assert.True(_mpirun.ExitCode == 0, $"{output}\n{error.Result}");
            return true;
        }

        /// <summary>False when the job had ended before.</summary>
        internal bool KillAfter(int milliseconds)
        {
            if (_mpirun.WaitForExit(milliseconds))
            {
                Assert.True(_mpirun.ExitCode == 0, _mpirun.StandardError.ReadToEnd());
                return false;
            }

            foreach (Process process in Process.GetProcesses().Where(IsRank)) process.Kill();
            _mpirun.WaitForExit();
            return true;
        }

        public void Dispose() => _mpirun.Dispose();

        private bool IsRank(Process process)
        {
            try
            {
                return File.ResolveLinkTarget(
                    $"/proc/{process.Id}/exe", returnFinalTarget: false)?.FullName == rank;
            }
            catch (IOException)
            {
                return false;
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
