using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.FrontDoor;

/// <summary>The packages, made once from what was built.</summary>
public sealed class Packages : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-packages-");
    private readonly Lazy<ProgramResult> _packed;

    /// <summary>Makes none before one is asked for.</summary>
    public Packages() => _packed = new(Pack);

    /// <summary>Why none can be made here; null when they can.</summary>
    internal static string? Obstacle
    {
        get
        {
            if (!Directory.Exists(Path.Combine(Repository.Root, "src"))) return "the sources are not here";
            if (RuntimeInformation.OSArchitecture != Architecture.X64) return "packages are made on x86-64";
            return BareMachine.FindOnPath("aarch64-linux-gnu-gcc") is null
                ? "aarch64-linux-gnu-gcc is not on the PATH (Debian: apt-get install gcc-aarch64-linux-gnu)"
                : null;
        }
    }

    /// <summary>Where they are.</summary>
    internal string Folder
    {
        get
        {
            Assert.True(Log.ExitCode == 0, Log.ToString());
            return _directory.FullName;
        }
    }

    /// <summary>What was said while they were made.</summary>
    internal ProgramResult Log => _packed.Value;

    /// <summary>The package of a name, or its symbols.</summary>
    internal ZipArchive Open(string id, string extension = "nupkg") =>
        ZipFile.OpenRead(FileOf(id, extension));

    internal string FileOf(string id, string extension = "nupkg") =>
        Assert.Single(Directory.GetFiles(Folder, $"{id}.?.?.?.{extension}"));

    /// <summary>The elements that describe a package, by their names.</summary>
    internal static Dictionary<string, XElement> Description(ZipArchive package)
    {
        ZipArchiveEntry file = package.Entries.Single(entry => entry.FullName.EndsWith(
            ".nuspec", StringComparison.Ordinal));
        using Stream stream = file.Open();
        return XDocument.Load(stream).Root!.Elements().Single().Elements()
            .ToDictionary(element => element.Name.LocalName);
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    private ProgramResult Pack()
    {
        ProgramResult[] results = [.. ((string[])["src/Snapshot", "src/Snapshot.NativeThreads",
            "src/Snapshot.Tool"]).Select(project =>
            Repository.Run(
                Repository.Root, "dotnet", "pack", project, "-c", Repository.Configuration, "--no-build",
                "-nologo",
                "-nodeReuse:false", "-m:1", "-o", _directory.FullName))];
        return new ProgramResult(
            results.Max(result => result.ExitCode), string.Concat(results.Select(result => result.Output)),
            string.Concat(results.Select(result => result.Error)));
    }
}

/// <summary>A test of packages; skipped, with the reason, where they cannot be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageFactAttribute : FactAttribute
{
    public PackageFactAttribute() => Skip = Packages.Obstacle;
}

/// <summary>The tests that look at the same packages.</summary>
[CollectionDefinition(nameof(Packages))]
public sealed class SharedPackages : ICollectionFixture<Packages>;
