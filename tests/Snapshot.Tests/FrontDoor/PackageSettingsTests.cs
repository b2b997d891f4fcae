using System.IO.Compression;
using System.Xml.Linq;
using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads.Native;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>
/// What a publisher fills in, on a small library that has the repository's settings and a remote.
/// </summary>
public sealed class PackageSettingsTests : IDisposable
{
    private const string Remote = "https://github.com/somebody/something";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-settings-");

    public PackageSettingsTests()
    {
        string[] copied =
        [
            "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "CHANGELOG.md",
            "src/Package.targets", "src/icon.png",
            .. Repository.Sources("src/Snapshot/build", ".targets").Select(Repository.Relative),
            .. Repository.Sources("src/Snapshot.NativeThreads/build", ".targets").Select(Repository.Relative),
        ];
        foreach (string file in copied)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
            File.Copy(Path.Combine(Repository.Root, file), PathOf(file));
        }

        Directory.CreateDirectory(PathOf("src/Small"));
        File.WriteAllText(PathOf("src/Small/Small.cs"), "namespace Small;\n\npublic static class Thing;\n");
        File.WriteAllText(PathOf("src/Small/Small.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <IsPackable>true</IsPackable>
              </PropertyGroup>
            </Project>
            """);
    }

    [ToolFact("git")]
    public void What_is_filled_in_is_in_the_package_and_a_server_that_builds_links_to_the_sources()
    {
        Git("init", "-q");
        Git("add", ".");
        Git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "all");
        Git("remote", "add", "origin", Remote + ".git");
        ProgramResult packed = Pack(
            "-p:PackageLicenseExpression=MIT", "-p:PackageProjectUrl=https://example.org/",
            $"-p:RepositoryUrl={Remote}", "-p:ContinuousIntegrationBuild=true");
        Assert.True(packed.ExitCode == 0, packed.ToString());
        Assert.DoesNotContain("SNAP0006", packed.Output, StringComparison.Ordinal);

        using ZipArchive package = ZipFile.OpenRead(PathOf("out/Small.0.1.0.nupkg"));
        Dictionary<string, XElement> description = Packages.Description(package);
        Assert.Equal("MIT", description["license"].Value);
        Assert.Equal("https://example.org/", description["projectUrl"].Value);
        Assert.Equal("git", description["repository"].Attribute("type")?.Value);
        Assert.Equal(Remote, description["repository"].Attribute("url")?.Value);

        using ZipArchive symbols = ZipFile.OpenRead(PathOf("out/Small.0.1.0.snupkg"));
        using Stream entry = symbols.GetEntry("lib/net10.0/Small.pdb")!.Open();
        using MemoryStream file = new();
        entry.CopyTo(file);
        PortableSymbols found = PortableSymbols.Read(new MemoryStream(file.ToArray()));
        Assert.True(found.Sources["/_/src/Small/Small.cs"]);
        Assert.Contains(
            "\"/_/*\":\"https://raw.githubusercontent.com/somebody/something/", found.SourceLink!,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_that_the_change_log_does_not_know_is_refused()
    {
        ProgramResult packed = Pack("-p:Version=9.9.9");
        Assert.NotEqual(0, packed.ExitCode);
        Assert.Contains(
            "error SNAP0007: CHANGELOG.md has no section '## [9.9.9]'", packed.Output,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("out")), "there is a package");
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string PathOf(string file) => Path.Combine(_directory.FullName, file);

    private void Git(params string[] arguments)
    {
        ProgramResult result = Repository.Run(_directory.FullName, "git", arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    private ProgramResult Pack(params string[] properties) => Repository.Run(
        _directory.FullName, "dotnet",
        ["pack", "src/Small", "-c", "Release", "-nologo", "-nodeReuse:false", "-o", "out", .. properties]);
}
