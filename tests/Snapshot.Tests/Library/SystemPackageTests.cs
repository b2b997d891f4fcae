using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using HeatRanks;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>Packages of Debian, the tarball and the wheel, used as their users would.</summary>
[Needs(Programs = ["cc", "tar"], Toolchain = true)]
public sealed class SystemPackageTests(SystemPackages packages) : IClassFixture<SystemPackages>, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-package-user-");

    private static string Scenes => Path.Combine(LibraryWorkshop.Sources, "process.c");

    private string Store => Path.Combine(_folder.FullName, "store");

    [MachineFact]
    [Needs(Programs = ["pkg-config", "dpkg-deb"], Toolchain = true)]
    public void A_program_is_built_against_the_packages_of_Debian_by_pkg_config()
    {
        string root = packages.PathOf("debian");
        foreach (string name in (string[])["libsnapshot0_*", "libsnapshot-dev_*", "python3-snapshot_*",
            "snapshot-tools_*"])
        {
            string package = packages.Of($"{name}_amd64.deb");
            Assert.Contains(
                "Version: 0.1.0", Run("dpkg-deb", "-f", package).Good(), StringComparison.Ordinal);
            Run("dpkg-deb", "-x", package, root).Good();
        }

        string folder = Path.Combine(root, "usr/lib/x86_64-linux-gnu");
        Run(
            "sh", "-c",
            $"PKG_CONFIG_PATH={folder}/pkgconfig; export PKG_CONFIG_PATH; cc -D_GNU_SOURCE -o scenes " +
            $"{Scenes} -pthread $(pkg-config --cflags --libs snapshot)").Good();
        Assert.Equal(
            "from 0 to 1, count 1\n",
            Run("env", $"LD_LIBRARY_PATH={folder}", "./scenes", "use", Store).Good());
        Assert.Contains(
            "1 generation", Run(Path.Combine(root, "usr/bin/snapshot"), "list", Store).Good(),
            StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Programs = ["cmake", "make"], Toolchain = true)]
    public void A_program_is_built_against_the_tarball_by_CMake_wherever_it_lies()
    {
        File.WriteAllText(
            Path.Combine(_folder.FullName, "CMakeLists.txt"),
            $"""
            cmake_minimum_required(VERSION 3.16)
            project(user C)
            find_package(Snapshot 0.1 REQUIRED)
            find_package(Threads REQUIRED)
            add_executable(scenes {Scenes})
            target_compile_definitions(scenes PRIVATE _GNU_SOURCE)
            target_link_libraries(scenes Snapshot::snapshot Threads::Threads)
            """);
        Run("cmake", "-S", ".", "-B", "build", $"-DCMAKE_PREFIX_PATH={packages.Unpacked()}").Good();
        Run("cmake", "--build", "build").Good();
        string program = Path.Combine(_folder.FullName, "build/scenes");
        Assert.Equal("from 0 to 1, count 1\n", Run(program, "use", Store).Good());
        Assert.Contains(
            "[libsnapshot.so.0]", Run("readelf", "-d", program).Good(), StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Programs = ["cmake", "make", "pkg-config", "mpicc.openmpi", "mpirun.openmpi"], Toolchain = true)]
    public void Ranks_are_built_against_the_tarball_by_CMake_and_by_pkg_config()
    {
        MpiCommands mpi = MpiCommands.Find("openmpi");
        string folder = packages.Unpacked();
        File.WriteAllText(
            Path.Combine(_folder.FullName, "CMakeLists.txt"),
            $"""
            cmake_minimum_required(VERSION 3.16)
            project(user C)
            find_package(Snapshot 0.1 REQUIRED)
            find_package(MPI REQUIRED)
            add_executable(heat {folder}/share/snapshot/samples/heat_ranks.c)
            target_link_libraries(heat Snapshot::mpi MPI::MPI_C)
            """);
        Run(
            "cmake", "-S", ".", "-B", "build", $"-DCMAKE_PREFIX_PATH={folder}",
            $"-DMPI_C_COMPILER={mpi.Compile}").Good();
        Run("cmake", "--build", "build").Good();
        Run(
            "sh", "-c",
            $"PKG_CONFIG_PATH={folder}/lib/pkgconfig; export PKG_CONFIG_PATH; {mpi.Compile} -o heat " +
            $"{folder}/share/snapshot/samples/heat_ranks.c $(pkg-config --variable=mpidir snapshot)/*.c " +
            $"$(pkg-config --cflags --libs snapshot) -Wl,-rpath,{folder}/lib").Good();
        foreach (string program in (string[])["build/heat", "heat"])
        {
            string[] command =
                [Path.Combine(_folder.FullName, program), "--size", "16", "--steps", "9", "--store", Store];
            ProcessStartInfo start = mpi.Start(2, command);
            Assert.Equal("from generation 0, step 0\n", Repository.Run(start).Good());
        }
    }

    /// <remarks>
    /// It is compiled ahead of time, and has neither stacks, which only a runtime can read, nor exec.
    /// </remarks>
    [MachineFact]
    public void The_command_works_without_NET()
    {
        string command = Path.Combine(packages.Unpacked(), "bin/snapshot");
        Assert.Contains("0.1.0", Run("env", "-i", command, "--version").Good(), StringComparison.Ordinal);
        Assert.DoesNotContain("stacks", Run(command, "--help").Good(), StringComparison.Ordinal);
        Assert.Contains(
            "copy-on-write", Run("env", "-i", command, "doctor").Output, StringComparison.Ordinal);
        Assert.Equal(3, Run(command, "list", "no-such-store").ExitCode);
        ProgramResult exec = Run(command, "exec", "store", "--every", "1", "--", "./heat");
        Assert.Equal(3, exec.ExitCode);
        Assert.Contains("dotnet tool install --global Snapshot.Tool", exec.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Programs = ["python3"], Toolchain = true)]
    public void The_wheel_has_what_its_record_says_and_is_imported()
    {
        string site = Path.Combine(_folder.FullName, "site");
        ZipFile.ExtractToDirectory(packages.Of("*.whl"), site);
        string record =
            File.ReadAllText(Directory.GetFiles(site, "RECORD", SearchOption.AllDirectories).Single());
        string[][] lines = [.. record.TrimEnd('\n').Split('\n').Select(line => line.Split(','))];
        Assert.Equal(
            Directory.GetFiles(site, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(site, file)).Order(),
            lines.Select(line => line[0]).Order());
        Assert.All(lines.Where(line => line[1].Length > 0), line =>
        {
            byte[] content = File.ReadAllBytes(Path.Combine(site, line[0]));
            string digest = Convert.ToBase64String(SHA256.HashData(content)).TrimEnd('=')
                .Replace('+', '-').Replace('/', '_');
            Assert.Equal(($"sha256={digest}", $"{content.Length}"), (line[1], line[2]));
        });
        Assert.Equal(
            "0.1.0\n",
            Run(
                "env", $"PYTHONPATH={site}", "/usr/bin/python3", "-c",
                "import snapshot; print(snapshot.__version__)")
                .Good());
    }

    [MachineFact]
    public void The_same_files_make_the_same_packages()
    {
        string command = Path.Combine(packages.Unpacked(), "bin/snapshot");
        Packaging.PackageSet set = new("0.1.0", LibraryWorkshop.Built, command, Repository.Root);
        foreach (string again in set.Write(_folder.FullName))
            Assert.Equal(File.ReadAllBytes(packages.Of(Path.GetFileName(again))), File.ReadAllBytes(again));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ProgramResult Run(string program, params string[] arguments) =>
        Repository.Run(_folder.FullName, program, arguments);
}
