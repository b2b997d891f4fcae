using System.Globalization;

namespace Snapshot.Machines;

/// <summary>The jobs of the command line. Sizes suit an emulated processor.</summary>
internal static class GuestJobs
{
    /// <summary>What the machine lets Snapshot do.</summary>
    internal static Job Doctor(bool isRoot) => new("run Snapshot.Tool doctor || exit\n", isRoot);

    /// <summary>The demo of a sample: killed so many times, and compared with an uninterrupted run.</summary>
    /// <param name="sample">Which.</param>
    /// <param name="kills">How often.</param>
    /// <param name="seed">Of the moments.</param>
    /// <param name="isRoot">Whom it runs as.</param>
    internal static Job Killed(Sample sample, int kills, int seed, bool isRoot) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"run {sample.Assembly} {sample.Arguments} --kills {kills} --seed {seed} --store /tmp/killed " +
            $"|| exit\n"),
        isRoot);

    /// <summary>
    /// How long a checkpoint stops the application, by what finds the pages that were written: as a ratio to
    /// memset and to content hash, since the guest is emulated. Fails when two mechanisms write other pages
    /// for the same writes.
    /// </summary>
    internal static Job Pause(bool isRoot) => new(
        "run Snapshot.Bench tracking --arena 256MiB 1GiB --dirty 1 --rounds 3 --store /tmp || exit\n", isRoot)
    {
        MemoryMegabytes = 4000,
    };

    /// <summary>Tests whose full name has one of these parts.</summary>
    internal static Job Tests(IEnumerable<string> parts, bool isRoot) => new(
        "cd /app\n" +
        "dotnet exec --depsfile Snapshot.Tests.deps.json --runtimeconfig Snapshot.Tests.runtimeconfig.json " +
        $"Snapshot.Machines.dll {CommandLine.RunTestsName} Snapshot.Tests.dll " +
        $"{string.Join(' ', parts.Select(Quoted))} || exit\n",
        isRoot);

    private static string Quoted(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
