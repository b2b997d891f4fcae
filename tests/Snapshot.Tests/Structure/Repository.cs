using System.Diagnostics;

namespace Snapshot.Tests.Structure;

/// <summary>The source tree these tests were built from, and programs run in it.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    /// <summary>The configuration this assembly was built in.</summary>
    internal static string Configuration { get; } =
        Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')))!;

    /// <summary>
    /// The files under a folder that end in one of the extensions, without what a build puts there.
    /// </summary>
    internal static IEnumerable<string> Sources(string folder, params string[] extensions)
    {
        string top = Path.Combine(Root, folder);
        if (!Directory.Exists(top)) return [];
        return Directory.EnumerateFiles(top, "*", SearchOption.AllDirectories)
            .Where(file => extensions.Contains(Path.GetExtension(file)))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Where(file => !file.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>The sources of the library, as paths relative to src/Snapshot with their text.</summary>
    internal static IEnumerable<(string Path, string Text)> Library => Sources("src/Snapshot", ".cs").Select(
        file =>
        (Path.GetRelativePath(Path.Combine(Root, "src/Snapshot"), file), File.ReadAllText(file)));

    internal static string Relative(string file) => Path.GetRelativePath(Root, file);

    /// <summary>Runs a program to its end; its two outputs are read apart.</summary>
    internal static ProgramResult Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ProgramResult(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    internal static ProgramResult Run(
        string workingDirectory, string program, params IEnumerable<string> arguments) =>
        Run(new ProcessStartInfo(program, arguments) { WorkingDirectory = workingDirectory });

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Snapshot.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory
            ?? throw new InvalidOperationException(
                $"Snapshot.sln is in no folder above {AppContext.BaseDirectory}");
    }
}

/// <summary>What a program did.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Error)
{
    /// <summary>What it printed; it must have ended well.</summary>
    internal string Good()
    {
        Xunit.Assert.True(ExitCode == 0, ToString());
        return Output;
    }

    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
