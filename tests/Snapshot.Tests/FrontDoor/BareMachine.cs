using System.Diagnostics;
using Snapshot.PowerShellHost;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.FrontDoor;

/// <summary>
/// A machine as build.ps1 sees it: a PATH with the programs a test puts there, which only record their calls.
/// </summary>
internal sealed class BareMachine : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("snapshot-front-door-").FullName;

    internal BareMachine(params string[] programs)
    {
        // What every system has; the rest of the machine's programs are out of reach.
        foreach (string program in (string[])["sh", "dirname", "id"])
            File.CreateSymbolicLink(Path.Combine(_directory, program), FindOnPath(program)!);
        foreach (string program in programs) Add(program);
    }

    private string Log => Path.Combine(_directory, "calls");

    /// <summary>The calls so far: the program, then each argument in brackets.</summary>
    internal string[] Calls => File.Exists(Log) ? File.ReadAllLines(Log) : [];

    /// <summary>
    /// Puts a program on the PATH that records its call and then runs <paramref name="then"/>, a line of sh.
    /// </summary>
    internal void Add(string program, string then = "exit 0")
    {
        string path = Path.Combine(_directory, program);
        File.Delete(path);
        File.WriteAllText(path, $$"""
            #!/bin/sh
            { printf '%s' '{{program}}'; for word in "$@"; do printf ' [%s]' "$word"; done; printf '\n'; } >>'{{Log}}'
            {{then}}

            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    internal ProgramResult Build(string half, params string[] arguments)
    {
        string script = Path.Combine(Repository.Root, "build.ps1");
        ProcessStartInfo start = half == "PowerShell"
            ? new ProcessStartInfo(
                Environment.ProcessPath!, [typeof(ScriptHost).Assembly.Location, script, .. arguments])
            : new ProcessStartInfo(
                FindOnPath(half.Split(' ')[0])!, [.. half.Split(' ')[1..], script, .. arguments]);
        start.WorkingDirectory = _directory;
        start.Environment["PATH"] = _directory;
        start.Environment.Remove("NativeCompiler");
        return Repository.Run(start);
    }

    internal static string? FindOnPath(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
