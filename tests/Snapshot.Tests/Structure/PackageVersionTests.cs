using System.Xml.Linq;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>The list of versions has what projects use, and says why one is held back.</summary>
public sealed class PackageVersionTests
{
    /// <summary>
    /// Held back on purpose; the others are the newest of their kind when they are changed.
    /// </summary>
    private static readonly string[] s_heldBack = ["System.IO.Hashing", "Microsoft.CodeAnalysis.CSharp",
        "xunit"];

    private static XDocument Versions =>
        XDocument.Load(
            Path.Combine(Repository.Root, "Directory.Packages.props"), LoadOptions.PreserveWhitespace);

    [SourcesFact]
    public void Each_version_is_that_of_a_package_that_a_project_uses()
    {
        string[] used = [.. ((string[])["src", "samples", "bench", "tests"])
            .SelectMany(folder => Repository.Sources(folder, ".csproj"))
            .SelectMany(project => XDocument.Load(project).Descendants("PackageReference"))
            .Select(reference => reference.Attribute("Include")!.Value).Distinct().Order()];
        Assert.Equal(used, Versions.Descendants("PackageVersion").Select(NameOf).Order());
    }

    [SourcesFact]
    public void Beside_a_version_that_is_held_back_stands_the_reason()
    {
        Assert.All(s_heldBack, name =>
        {
            XElement version =
                Versions.Descendants("PackageVersion").Single(version => NameOf(version) == name);
            XNode? before = version.NodesBeforeSelf().LastOrDefault(node => node is not XText);
            Assert.True(before is XComment, $"no reason stands before {name}");
        });
    }

    private static string NameOf(XElement version) => version.Attribute("Include")!.Value;
}
