using System.Diagnostics;
using Snapshot.Tests.Structure;
using Snapshot.Tests.Threads.Native;
using Snapshot.Tool.Supervision;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>Programs in C, linked for <c>snapshot exec</c> and as usual, and runs of them.</summary>
internal sealed class ExecWorkshop : IDisposable
{
    private const int Killing = 9;

    private static readonly TimeSpan s_hang = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-exec-");

    internal string Store => PathOf("store");

    private static string Sources => Path.Combine(Repository.Root, "tests/Snapshot.TestModules/program");

    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>A folder that is new and empty.</summary>
    internal string NewFolder(string name)
    {
        if (Directory.Exists(PathOf(name))) Directory.Delete(PathOf(name), recursive: true);
        return Directory.CreateDirectory(PathOf(name)).FullName;
    }

    internal string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    /// <summary>Runs snapshot-cc, as the build has made it, for a program.</summary>
    internal ProgramResult Link(string name, string compiler, params string[] arguments) => Repository.Run(
        _folder.FullName, "sh",
        [
            Path.Combine(ModuleLibrary.Runtime, "snapshot-cc"), "--program", compiler, "-O2", "-o",
            PathOf(name), .. arguments,
        ]);

    /// <summary>A program of the test modules, linked for the command.</summary>
    internal string Program(string name, params string[] flags)
    {
        ProgramResult result = Link(name, "cc", [.. flags, Path.Combine(Sources, $"{name}.c")]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return PathOf(name);
    }

    /// <summary>The same, linked as programs are.</summary>
    internal string Ordinary(string name)
    {
        ProgramResult result = Repository.Run(
            _folder.FullName, "cc", "-O2", "-o", PathOf($"{name}.native"),
            Path.Combine(Sources, $"{name}.c"));
        Assert.True(result.ExitCode == 0, result.ToString());
        return PathOf($"{name}.native");
    }

    /// <summary>The words of a shell that replaces itself by the command.</summary>
    internal string[] ExecWords(params string[] words) => ExecWordsOf(AppContext.BaseDirectory, words);

    /// <summary>The same for the command that is in a folder.</summary>
    internal string[] ExecWordsOf(string folder, params string[] words) =>
    [
        "env", "--default-signal=INT", ToolRun.Dotnet, "exec", Path.Combine(folder, "Snapshot.Tool.dll"),
        "exec", Store, .. words,
    ];

    /// <summary>Starts a command line of the shell: its words are "$@".</summary>
    internal Process Start(string shell, string[] words, Action<ProcessStartInfo>? change = null)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", shell, "sh", .. words])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        change?.Invoke(start);
        return Process.Start(start)!;
    }

    /// <summary>Runs it to its end.</summary>
    internal ToolRun Run(string shell, string[] words, Action<ProcessStartInfo>? change = null)
    {
        using Process process = Start(shell, words, change);
        return End(process);
    }

    internal static ToolRun End(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_hang))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"hangs: {output.Result}{error.Result}");
        }

        return new ToolRun(process.ExitCode, output.Result, error.Result);
    }

    internal static void Kill(Process process) => ProcessSignal.Send(process.Id, Killing);

    public void Dispose() => _folder.Delete(recursive: true);
}
