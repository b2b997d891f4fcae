using System.Diagnostics;
using Snapshot.Tests.FiberCheck;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>The package in an empty folder, as a user has it.</summary>
[Collection(nameof(Packages))]
public sealed class PackageUserTests(Packages packages) : IDisposable
{
    private const string Program = """
        using Snapshot;
        using Snapshot.Fibers;
        using Snapshot.NativeThreads;

        using SnapshotSession session = SnapshotSession.Open(args[0]);
        Arena arena = session.OpenArena("all", new ArenaOptions { Capacity = 64L << 20 });
        session.RunFibers("worker", arena, () => Fiber.Start(3, static count => Work.Count(count)));
        NativeHost host = session.OpenNative(arena);
        host.Load(Path.Combine(AppContext.BaseDirectory, "libsum.so"));
        Console.WriteLine("loaded");

        static class Work
        {
            public static async FiberTask Count(int count)
            {
                for (int i = 0; i < count; i++) await Fiber.Yield();
                Console.WriteLine($"counted to {count}");
            }
        }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot package user ");

    [PackageFact]
    public void A_debug_build_has_struct_frames_and_native_modules_and_runs()
    {
        File.WriteAllText(PathOf("Program.cs"), Program);
        File.WriteAllText(PathOf("sum.c"), "double sum(double *x) { return x[0] + x[1]; }\n");
        Build("Debug", "sum.c");
        Assert.True(BuildTargetTests.IsOptimized(PathOf("out/User.dll")));

        ProgramResult run = Repository.Run(_directory.FullName, PathOf("out/User"), PathOf("store"));
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal("counted to 3\nloaded\n", run.Output);

        string command = Assert.Single(
            Directory.GetFiles(
                PathOf("packages/snapshot.nativethreads"), "snapshot-cc", SearchOption.AllDirectories));
        ProgramResult check = Repository.Run(_directory.FullName, "sh", command, "check", "out/libsum.so");
        Assert.True(check.ExitCode == 0, check.ToString());
        Assert.EndsWith(", checked when it was linked.\n", check.Output, StringComparison.Ordinal);
    }

    [PackageFact]
    public void The_native_program_of_the_guide_is_killed_and_goes_on()
    {
        string guide = File.ReadAllText(Path.Combine(Repository.Root, "docs/GUIDE.md"));
        File.WriteAllText(PathOf("quadrature.cpp"), Block(guide, "cpp"));
        File.WriteAllText(PathOf("Program.cs"), Block(guide, "csharp native"));
        Build("Release", "quadrature.cpp");
        ProcessStartInfo start = new(PathOf("out/User")) { WorkingDirectory = _directory.FullName };
        using (Process first = Process.Start(start)!)
        {
            string committed = PathOf("quadrature.store/0000000002.snapshot");
            while (!File.Exists(committed) && !first.HasExited) Thread.Sleep(10);
            first.Kill();
            first.WaitForExit();
        }

        ProgramResult run = Repository.Run(_directory.FullName, PathOf("out/User"));
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Matches("^from generation [2-9][0-9]*\n100 areas, the last is -0.822498\n$", run.Output);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>Where the packages are that the library needs: it was built here.</summary>
    private static string GlobalPackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");

    private void Build(string configuration, string native)
    {
        File.WriteAllText(PathOf("User.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Snapshot" Version="*" />
                <PackageReference Include="Snapshot.NativeThreads" Version="*" />
                <SnapshotNative Include="{native}" />
              </ItemGroup>
            </Project>
            """);
        ProgramResult built = Repository.Run(
            _directory.FullName, "dotnet",
            [
                "build", "-c", configuration, "-nologo", "-nodeReuse:false", "-o", "out",
                $"-p:RestoreSources={packages.Folder}", $"-p:RestorePackagesPath={PathOf("packages")}",
                $"-p:RestoreFallbackFolders={GlobalPackages}",
            ]);
        Assert.True(built.ExitCode == 0, built.ToString());
    }

    private static string Block(string document, string fence)
    {
        string[] parts = document.Split($"```{fence}\n");
        Assert.Equal(2, parts.Length);
        return parts[1][..parts[1].IndexOf("```", StringComparison.Ordinal)];
    }

    private string PathOf(string file) => Path.Combine(_directory.FullName, file);
}
