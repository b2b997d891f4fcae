using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Library;

/// <summary>The packages for programs that are not .NET, made once.</summary>
public sealed class SystemPackages : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-system-packages-");
    private readonly Lazy<string> _packed;

    /// <summary>Makes none before one is asked for.</summary>
    public SystemPackages() => _packed = new Lazy<string>(Pack);

    /// <summary>What is unpacked of them goes below this.</summary>
    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>The one package whose name matches.</summary>
    internal string Of(string pattern) => Directory.GetFiles(_packed.Value, pattern).Single();

    /// <summary>The tarball, unpacked; the folder that is in it.</summary>
    internal string Unpacked()
    {
        string folder = PathOf("unpacked");
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            Repository.Run(folder, "tar", "xzf", Of("*.tar.gz")).Good();
        }

        return Directory.GetDirectories(folder).Single();
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private string Pack()
    {
        string made = PathOf("made");
        Repository.Run(
            Repository.Root, "dotnet", "pack", "src/Snapshot.Packaging", "-c", "Release", "--no-build",
            "-nologo",
            "-nodeReuse:false", "-m:1", "-o", made).Good();
        return made;
    }
}
