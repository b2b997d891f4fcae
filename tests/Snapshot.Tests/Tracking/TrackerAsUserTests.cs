using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Snapshot.Tracking;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tracking;

/// <summary>The contract without privilege: the scenarios in a process of an ordinary user.</summary>
[SupportedOSPlatform("linux")]
public sealed class TrackerAsUserTests(ITestOutputHelper output)
{
    private const string Nobody = "65534";

    [Fact]
    public void Every_promise_holds_for_an_ordinary_user()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-");
        try
        {
            CopyProgram(directory);
            (int exitCode, string text) = RunAsUser(
                Path.Combine(directory.FullName, "Snapshot.TestPrograms.dll"), "tracker-as-user");
            output.WriteLine(text);
            Assert.True(exitCode == 0, text);
            using TrackerFactory here = new(KernelCapabilities.Current, TrackingMechanism.Auto);
            Assert.Contains($"auto {here.Mechanism} ", text, StringComparison.Ordinal);
            foreach (string scenario in TestPrograms.TrackerScenarios.All.Keys)
                Assert.Contains($"ContentHash {scenario}\n", text, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>The build output may lie where only its owner reads.</summary>
    private static void CopyProgram(DirectoryInfo target)
    {
        string[] patterns = [
            "Snapshot.TestPrograms.*", "Snapshot.dll", "libsnapshot_native.so", "System.IO.Hashing.dll",
            "System.Numerics.Tensors.dll", "K4os.*.dll"];
        foreach (string file in patterns.SelectMany(pattern => Directory.GetFiles(AppContext.BaseDirectory, pattern)))
        {
            string copy = Path.Combine(target.FullName, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(
                copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        File.SetUnixFileMode(target.FullName,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute |
            UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    private static (int ExitCode, string Text) RunAsUser(string program, string verb)
    {
        // <dotnet root>/shared/Microsoft.NETCore.App/<version>/ is where the runtime lives.
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        string[] command = Environment.IsPrivilegedProcess
            ? [
                "setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs", dotnet, "exec",
                program, verb]
            : [dotnet, "exec", program, verb];
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + error.Result);
    }
}
