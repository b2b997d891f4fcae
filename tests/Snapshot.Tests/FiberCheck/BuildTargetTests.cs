using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Snapshot.Tests.Structure;
using Xunit;
using static System.Diagnostics.DebuggableAttribute;

namespace Snapshot.Tests.FiberCheck;

/// <summary>Snapshot.targets in a project outside the repository, and what it did inside.</summary>
public sealed class BuildTargetTests : IDisposable
{
    private const string Good = """
        using Snapshot;
        using Snapshot.Fibers;
        using System.Collections.Generic;

        public static class Program
        {
            public static void Main() { }

            public static async FiberTask Walk(long start)
            {
                List<long> all = [start];
                foreach (long one in all) start += one;
                await Fiber.Safepoint();
            }
        }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot fiber build ");

    public BuildTargetTests()
    {
        File.WriteAllText(PathOf("Walk.csproj"), Project);
    }

    [Fact]
    public void A_debug_build_fails_at_the_line_until_it_is_mended_and_then_does_nothing_twice()
    {
        string bad = Good.Replace("start += one;", "await Fiber.Safepoint();", StringComparison.Ordinal);
        File.WriteAllText(PathOf("Program.cs"), bad);
        ProgramResult refused = Build();
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(
            PathOf("Program.cs") +
            "(12,30): error SNAP1001: fiber method 'Program.Walk' keeps a managed reference " +
            "across an await: compiler temporary of type List<long>.Enumerator, which holds managed " +
            "references ",
            refused.Output,
            StringComparison.Ordinal);
        Assert.Contains(
            "error SNAP1000: Walk.dll has fiber methods", refused.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Stamp), "a refused assembly has a stamp");
        Assert.False(File.Exists(PathOf("bin/Debug/net10.0/Walk.dll")), "a refused assembly was copied");

        File.WriteAllText(PathOf("Program.cs"), Good);
        ProgramResult accepted = Build("--no-restore");
        Assert.True(accepted.ExitCode == 0, accepted.ToString());
        DateTime checkedAt = File.GetLastWriteTimeUtc(Stamp);

        ProgramResult again = Build("--no-restore", "-v:d");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal(checkedAt, File.GetLastWriteTimeUtc(Stamp));
        Assert.Contains("Skipping target \"CheckSnapshotFibers\"", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_debug_build_is_optimized_only_when_it_has_fiber_methods()
    {
        File.WriteAllText(PathOf("Program.cs"), """
            using Snapshot;
            using System.Threading.Tasks;

            public static class Program
            {
                public static async Task Main() => await Task.Yield();

                // Runs what others wrote: no fiber method is here.
                public static void Go(SnapshotSession session, Arena all) => session.RunFibers("a", all, () => { });
            }
            """);
        Built(Build());
        Assert.False(IsOptimized(Assembly), "optimized without fiber methods");

        File.WriteAllText(
            PathOf("Walk.cs"), Walk("public static async FiberTask Go() => await Fiber.Yield();"));
        Built(Build("--no-restore"));
        Assert.True(IsOptimized(Assembly), "not optimized with a fiber method");

        ProgramResult refused = Build("--no-restore", "--no-incremental", "-p:SnapshotFiberOptimize=false");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("error SNAP1002", refused.Output, StringComparison.Ordinal);

        File.WriteAllText(PathOf("Walk.cs"), Walk(
            "public static void Go() => _ = Fiber.Start(1, static async _ => { await Fiber.Yield(); });"));
        Built(Build("--no-restore"));
        Assert.True(IsOptimized(Assembly), "not optimized with a lambda that is a fiber method");
    }

    [Theory]
    [InlineData("src/Snapshot")]
    [InlineData("tests/Snapshot.Tests")]
    [InlineData("samples/HeatDiffusion")]
    public void The_assemblies_of_the_repository_were_checked(string project) =>
        Assert.True(File.Exists(Path.Combine(
            Repository.Root, project, "obj", Repository.Configuration, "net10.0/Snapshot.FiberCheck.stamp")));

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>Whether the compiler left the just-in-time compiler free to optimize.</summary>
    internal static bool IsOptimized(string assembly)
    {
        using PEReader file = new(File.OpenRead(assembly));
        MetadataReader reader = file.GetMetadataReader();
        CustomAttribute debuggable = reader.GetAssemblyDefinition().GetCustomAttributes()
            .Select(reader.GetCustomAttribute)
            .Single(attribute => NameOf(reader, attribute) == nameof(DebuggableAttribute));
        BlobReader value = reader.GetBlobReader(debuggable.Value);
        value.ReadUInt16();
        DebuggingModes modes = (DebuggingModes)value.ReadInt32();
        return !modes.HasFlag(DebuggingModes.DisableOptimizations);
    }

    private static string NameOf(MetadataReader reader, CustomAttribute attribute)
    {
        if (attribute.Constructor.Kind != HandleKind.MemberReference) return "";
        EntityHandle type = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
        return reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name);
    }

    private static void Built(ProgramResult result) => Assert.True(result.ExitCode == 0, result.ToString());

    private static string Walk(string member) =>
        $"using Snapshot.Fibers;\n\npublic static class Walk\n{{\n    {member}\n}}\n";

    private static string Project => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <Reference Include="Snapshot" HintPath="{typeof(SnapshotSession).Assembly.Location}" />
          </ItemGroup>
          <Import Project="{Path.Combine(Repository.Root, "src/Snapshot/build/Snapshot.targets")}" />
        </Project>
        """;

    private string Assembly => PathOf("bin/Debug/net10.0/Walk.dll");

    private string Stamp => PathOf("obj/Debug/net10.0/Snapshot.FiberCheck.stamp");

    private string PathOf(string file) => Path.Combine(_directory.FullName, file);

    private ProgramResult Build(params string[] arguments) => Repository.Run(
        _directory.FullName,
        "dotnet",
        ["build", "-c", "Debug", "-nologo", "-nodeReuse:false", .. arguments]);
}
