using System.Diagnostics;
using System.Globalization;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Library;

/// <summary>
/// One of samples/Library, built or ready to run, that writes its field into a file at the end.
/// </summary>
/// <param name="workshop">Where it was built; other users may read there.</param>
/// <param name="command">Starts it, without its arguments.</param>
internal sealed class HeatSample(LibraryWorkshop workshop, params string[] command)
{
    private const string Nobody = "65534";
    private const int Steps = 3000;

    /// <summary>The folder of the samples.</summary>
    internal static string Folder => Path.Combine(Repository.Root, "samples/Library");

    /// <summary>Runs without privilege, where this process has it.</summary>
    internal bool AsOrdinaryUser { get; init; }

    /// <summary>What SNAPSHOT_RESTART_FILL says.</summary>
    internal RestartFill Fill { get; init; }

    /// <summary>Starts it; what it prints can be read.</summary>
    internal Process Start(string store, string dump)
    {
        IEnumerable<string> all =
        [
            .. Unprivileged(), .. command, store, Steps.ToString(CultureInfo.InvariantCulture), dump,
        ];
        ProcessStartInfo start = new(all.First(), all.Skip(1))
        {
            WorkingDirectory = workshop.PathOf(""),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SNAPSHOT_RESTART_FILL"] = Fill.ToString();
        start.Environment["SNAPSHOT_LIBRARY"] = Path.Combine(workshop.Libraries, "libsnapshot.so.0");
        start.Environment["PYTHONPATH"] = workshop.PathOf("packages");
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["OMP_NUM_THREADS"] = "3";
        start.Environment["OPENBLAS_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    private IEnumerable<string> Unprivileged() => AsOrdinaryUser && Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs"]
        : [];
}
