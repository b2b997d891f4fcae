using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Snapshot.Tests.Session;

/// <summary>Runs a verb of Snapshot.TestPrograms without privilege, whoever runs the tests.</summary>
[SupportedOSPlatform("linux")]
internal static class OrdinaryUser
{
    private const string Nobody = "65534";

    internal static (int ExitCode, string Text) Run(string verb)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-");
        try
        {
            CopyProgram(directory);
            return RunAsUser(Path.Combine(directory.FullName, "Snapshot.TestPrograms.dll"), verb);
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
