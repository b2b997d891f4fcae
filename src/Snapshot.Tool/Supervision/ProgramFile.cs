using System.Runtime.Versioning;

namespace Snapshot.Tool.Supervision;

/// <summary>
/// Finds a program as a shell does. Left to .NET, the folder of the tool itself and the working directory
/// would be looked at before PATH.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class ProgramFile
{
    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The full path of a program.</summary>
    /// <exception cref="CannotStartException">
    /// There is none of that name, or it is not executable.
    /// </exception>
    internal static string Find(string name)
    {
        if (!name.Contains('/', StringComparison.Ordinal))
        {
            return InPath(name) ?? throw new CannotStartException(
                ExitCode.NoProgram,
                $"There is no program '{name}' in the folders of PATH" +
                (File.Exists(name) ? $"; the one in the working directory is './{name}'." : "."));
        }

        if (Directory.Exists(name))
            throw new CannotStartException(
                ExitCode.NotExecutable, $"'{name}' is a directory, not a program.");
        if (!File.Exists(name))
            throw new CannotStartException(ExitCode.NoProgram, $"There is no program '{name}'.");
        if (IsExecutable(name)) return Path.GetFullPath(name);
        throw new CannotStartException(
            ExitCode.NotExecutable,
            $"'{name}' is not executable" +
            (name.EndsWith(".dll", StringComparison.Ordinal)
                ? $"; an assembly is run by 'dotnet {name}'." : "."));
    }

    /// <summary>The first executable file of that name in the folders of PATH, or null.</summary>
    internal static string? InPath(string name) =>
        name.Length == 0 ? null : Environment.GetEnvironmentVariable("PATH")
            ?.Split(':')
            .Select(folder => Path.GetFullPath(Path.Combine(folder, name)))
            .FirstOrDefault(path => File.Exists(path) && IsExecutable(path));

    private static bool IsExecutable(string path) => (File.GetUnixFileMode(path) & AnyExecute) != 0;
}
