using System.Collections.Immutable;
using System.IO.Compression;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>What is in the packages.</summary>
[Collection(nameof(Packages))]
public sealed partial class PackageTests(Packages packages)
{
    [PackageFact]
    public void While_no_licence_is_stated_the_pack_warns_and_goes_on()
    {
        Assert.True(packages.Log.ExitCode == 0, packages.Log.ToString());
        foreach (string id in (string[])["Snapshot", "Snapshot.Tool"])
        {
            Assert.Contains(
                $"warning SNAP0006: The package {id} states no licence", packages.Log.Output,
                StringComparison.Ordinal);
        }
    }

    [PackageFact]
    public void What_only_the_publisher_knows_is_not_made_up()
    {
        foreach (string id in (string[])["Snapshot", "Snapshot.Tool"])
        {
            using ZipArchive package = packages.Open(id);
            var description = Packages.Description(package);
            Assert.DoesNotContain("license", description.Keys);
            Assert.DoesNotContain("licenseUrl", description.Keys);
            Assert.DoesNotContain("projectUrl", description.Keys);
            if (description.TryGetValue("repository", out var repository))
                Assert.Null(repository.Attribute("url"));
        }
    }

    [PackageFact]
    public void Each_has_an_icon_a_readme_and_what_the_change_log_says_of_its_version()
    {
        foreach (string id in (string[])["Snapshot", "Snapshot.Tool"])
        {
            using ZipArchive package = packages.Open(id);
            var description = Packages.Description(package);
            Assert.NotNull(package.GetEntry(description["icon"].Value));
            Assert.NotNull(package.GetEntry(description["readme"].Value));
            Assert.NotNull(package.GetEntry("CHANGELOG.md"));
            string notes = description["releaseNotes"].Value;
            Assert.Contains("### Added", notes, StringComparison.Ordinal);
            Assert.DoesNotContain("## [", notes, StringComparison.Ordinal);
            Assert.Contains(
                notes.ReplaceLineEndings("\n").Trim(),
                File.ReadAllText(Path.Combine(Repository.Root, "CHANGELOG.md")), StringComparison.Ordinal);
        }
    }

    [PackageFact]
    public void The_documents_are_in_the_package_of_the_library()
    {
        using ZipArchive package = packages.Open("Snapshot");
        string[] documents = [.. Repository.Sources("docs", ".md").Select(Repository.Relative)];
        Assert.NotEmpty(documents);
        Assert.All(
            ["README.md", "ARCHITECTURE.md", .. documents],
            document =>
                Assert.True(package.GetEntry(document) is not null, $"{document} is not in the package"));
    }

    /// <summary>
    /// Messages, and the comments that editors show, cite documents by their places in the package.
    /// </summary>
    [PackageFact]
    public void A_document_that_the_library_cites_is_in_the_package()
    {
        using ZipArchive package = packages.Open("Snapshot");
        string[] extensions = [".cs", ".targets", ".h", ".cmake", ".f90"];
        (string File, string Document)[] cited = [.. Repository.Sources("src", extensions)
            .Append(Path.Combine(Repository.Root, "src/Native/threads/snapshot-cc"))
            .SelectMany(file => Citation().Matches(File.ReadAllText(file))
                .Select(match => (Repository.Relative(file), match.Value)))];
        Assert.Contains(cited, citation => citation.Document == "docs/NATIVE.md");
        Assert.All(cited, citation => Assert.True(
            package.GetEntry(citation.Document) is not null,
            $"{citation.File} cites {citation.Document}, which is not in the package"));
    }

    [PackageFact]
    public void Debuggers_find_the_sources_of_the_library_in_its_symbols_and_no_folder_of_this_machine()
    {
        using ZipArchive symbols = packages.Open("Snapshot", "snupkg");
        PortableSymbols found = Symbols(symbols, "lib/net10.0/Snapshot.pdb");
        AssertSources(found);
        Assert.Contains("/_/src/Snapshot/SnapshotSession.cs", found.Sources.Keys);

        using ZipArchive package = packages.Open("Snapshot");
        foreach (ZipArchiveEntry entry in package.Entries.Where(entry => entry.Name == "Snapshot.dll"))
        {
            using PEReader assembly = Assembly(entry);
            Assert.Equal(found.Id, PortableSymbols.IdOf(assembly));
            Assert.Contains(
                assembly.ReadDebugDirectory(), item => item.Type == DebugDirectoryEntryType.Reproducible);
        }
    }

    [PackageFact]
    public void What_runs_in_the_compiler_or_beside_it_brings_its_symbols_itself()
    {
        foreach ((string id, string name) in ((string, string)[])
            [
                ("Snapshot", "analyzers/dotnet/cs/Snapshot.Analyzers.dll"),
                ("Snapshot", "analyzers/dotnet/cs/Snapshot.CodeFixes.dll"),
                ("Snapshot", "tools/net10.0/Snapshot.FiberCheck.dll"),
                ("Snapshot.NativeThreads", "tools/native/Snapshot.ModuleCheck.dll"),
            ])
        {
            using ZipArchive package = packages.Open(id);
            using PEReader assembly = Assembly(package.GetEntry(name)!);
            PortableSymbols? symbols = PortableSymbols.ReadEmbedded(assembly);
            Assert.True(symbols is not null, $"{name} has no symbols");
            Assert.All(
                symbols.Sources.Keys, file => Assert.StartsWith("/_/", file, StringComparison.Ordinal));
        }
    }

    [PackageFact]
    public void The_command_brings_its_symbols()
    {
        using ZipArchive symbols = packages.Open("Snapshot.Tool", "snupkg");
        AssertSources(Symbols(symbols, "tools/net10.0/any/Snapshot.Tool.pdb"));
    }

    /// <summary>The SDK never validates the packages of commands, which nobody compiles against.</summary>
    [PackageFact]
    public void The_package_of_the_library_is_validated()
    {
        ProgramResult result = Repository.Run(
            Repository.Root, "dotnet", "msbuild", "src/Snapshot", "-nologo",
            "-getProperty:EnablePackageValidation");
        Assert.Equal("true", result.Output.Trim());
    }

    private static void AssertSources(PortableSymbols symbols)
    {
        Assert.NotEmpty(symbols.Sources);
        Assert.All(symbols.Sources, source =>
        {
            Assert.StartsWith("/_/", source.Key, StringComparison.Ordinal);
            Assert.True(source.Value, $"the text of {source.Key} is not in the symbols");
        });
    }

    private static PortableSymbols Symbols(ZipArchive package, string name)
    {
        ZipArchiveEntry? entry = package.GetEntry(name);
        Assert.True(entry is not null, string.Join('\n', package.Entries));
        return PortableSymbols.Read(new MemoryStream(BytesOf(entry)));
    }

    private static PEReader Assembly(ZipArchiveEntry entry) => new(ImmutableArray.Create(BytesOf(entry)));

    private static byte[] BytesOf(ZipArchiveEntry entry)
    {
        using Stream stream = entry.Open();
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    [GeneratedRegex(@"\bdocs/[\w/\-]+\.md|\b(?:README|ARCHITECTURE|CHANGELOG)\.md\b")]
    private static partial Regex Citation();
}
