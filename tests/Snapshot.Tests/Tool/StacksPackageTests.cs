using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Snapshot.Tests.FrontDoor;
using Snapshot.Tool;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>The command as its package has it.</summary>
[Collection(nameof(Packages))]
public sealed class StacksPackageTests(Packages packages) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-tool-");

    [PackageFact]
    public async Task It_shows_stacks_without_the_libraries_that_sign_in_to_clouds()
    {
        ZipFile.ExtractToDirectory(packages.FileOf("Snapshot.Tool"), _directory.FullName);
        string folder = Path.Combine(_directory.FullName, "tools/net10.0/any");
        string[] files = [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(
            Path.GetFileName)!];
        Assert.Contains("Microsoft.Diagnostics.Runtime.dll", files);
        Assert.DoesNotContain(files, IsOfCloud);
        using JsonDocument needed = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(folder, "Snapshot.Tool.deps.json")));
        Assert.DoesNotContain(
            needed.RootElement.GetProperty("targets").EnumerateObject()
                .SelectMany(target => target.Value.EnumerateObject()),
            library => IsOfCloud(library.Name) && library.Value.TryGetProperty("runtime", out _));

        using Process target = StacksCommandTests.StartTarget();
        try
        {
            Assert.Equal("ready", await target.StandardOutput.ReadLineAsync());
            ToolRun json = ToolRun.Process(
                folder, "stacks", target.Id.ToString(CultureInfo.InvariantCulture), "--json");
            Assert.True(json.ExitCode == ExitCode.Fine, json.Error);
            Assert.Equal(
                3, json.Json().GetProperty("sessions")[0].GetProperty("participants").GetArrayLength());
            Assert.Contains("StacksTarget.Compute(", json.Out, StringComparison.Ordinal);
        }
        finally
        {
            target.StandardInput.Close();
            await target.WaitForExitAsync();
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static bool IsOfCloud(string name) =>
        name.StartsWith("Azure.", StringComparison.Ordinal) ||
        name.StartsWith("Microsoft.Identity", StringComparison.Ordinal);
}
