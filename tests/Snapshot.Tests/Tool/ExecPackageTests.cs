using System.IO.Compression;
using Snapshot.Tests.FrontDoor;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>The command as its package has it runs programs, with the runtime of native threads.</summary>
[Collection(nameof(Packages))]
public sealed class ExecPackageTests(Packages packages) : IDisposable
{
    private readonly ExecWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [PackageFact]
    public void A_program_runs()
    {
        string tool = _workshop.NewFolder("tool");
        ZipFile.ExtractToDirectory(packages.FileOf("Snapshot.Tool"), tool);
        string[] words = _workshop.ExecWordsOf(
            Path.Combine(tool, "tools/net10.0/any"), "--", _workshop.Program("stdio"), ".", "quietly");
        Assert.Equal(new ToolRun(7, "", ""), _workshop.Run("exec \"$@\"", words));
    }
}
