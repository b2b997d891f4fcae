using System.Text.RegularExpressions;

namespace Snapshot.Machines;

/// <summary>Which libraries of this machine its programs need.</summary>
internal static partial class SharedLibraries
{
    /// <summary>.NET opens it by name, so nothing lists it.</summary>
    private static readonly string[] s_openedByName = ["libssl.so.3", "libcrypto.so.3"];

    /// <summary>The paths of all libraries that these files need, and of the loader.</summary>
    /// <exception cref="MachineException">ldd or ldconfig is not there.</exception>
    internal static IReadOnlySet<string> NeededBy(IEnumerable<string> files)
    {
        // ldd's exit code tells of files that are not for it, such as a library linked statically: they need
        // none.
        string listed = HostProgram.Run("ldd", files).Output;
        SortedSet<string> needed = [.. LibraryPath().Matches(listed).Select(match => match.Groups[1].Value)];
        string known = HostProgram.Require("ldconfig", "-p");
        foreach (string name in s_openedByName)
        {
            Match library = Regex.Match(
                known, $"^\\s*{Regex.Escape(name)} .*x86-64.* => (\\S+)$", RegexOptions.Multiline);
            if (library.Success) needed.Add(library.Groups[1].Value);
        }

        return needed;
    }

    [GeneratedRegex("^\\s+(?:\\S+ => )?(/\\S+) \\(", RegexOptions.Multiline)]
    private static partial Regex LibraryPath();
}
