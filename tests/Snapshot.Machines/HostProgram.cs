using System.Diagnostics;
using System.Globalization;

namespace Snapshot.Machines;

/// <summary>One run of a program of this machine: its exit code and what it printed.</summary>
internal sealed record HostProgram(int ExitCode, string Output, string Error)
{
    /// <summary>Runs it to its end. Thread-safe.</summary>
    /// <param name="program">Its path, or its name on the PATH or among the system programs.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="MachineException">It is not there.</exception>
    internal static HostProgram Run(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(Find(program) ?? throw Missing(program), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // The words of apt, e2fsck and others are read.
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new HostProgram(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>The same, and it must end with exit code 0; returns what it printed.</summary>
    /// <exception cref="MachineException">It is not there, or failed; with what it said.</exception>
    internal static string Require(string program, params IEnumerable<string> arguments)
    {
        string[] all = [.. arguments];
        HostProgram run = Run(program, all);
        if (run.ExitCode == 0) return run.Output;
        string said = (run.Output + run.Error).Trim();
        throw new MachineException(string.Create(
            CultureInfo.InvariantCulture,
            $"`{program} {string.Join(' ', all)}` ended with exit code {run.ExitCode}: {said}"));
    }

    /// <summary>
    /// Where a program is, or null. An ordinary user's PATH leaves out the folders of mke2fs.
    /// </summary>
    internal static string? Find(string program)
    {
        if (program.Contains('/', StringComparison.Ordinal)) return File.Exists(program) ? program : null;
        string path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>What is said of a program that is not there.</summary>
    internal static MachineException Missing(string program) => new(
        $"{program} is not on the PATH. Install it (Debian: apt-get install {DebianPackage(program)}).");

    private static string DebianPackage(string program) => program switch
    {
        "qemu-system-x86_64" => "qemu-system-x86",
        "mke2fs" or "e2fsck" or "debugfs" => "e2fsprogs",
        "mkfs.xfs" => "xfsprogs",
        "cc" => "gcc libc6-dev",
        "apt-cache" or "apt-get" => "apt",
        "ldd" or "ldconfig" => "libc-bin",
        _ => program,
    };
}
