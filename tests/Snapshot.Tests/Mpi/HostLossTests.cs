using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Mpi;

/// <summary>
/// A job on two hosts that lose power at random moments, and their disks with it: what comes out is what
/// comes out of an uninterrupted run, bit for bit.
/// </summary>
[Needs(Programs = ["mpicc.openmpi", "mpirun.openmpi", "ip", "unshare"], Toolchain = true, Hosts = true)]
public sealed partial class HostLossTests(ITestOutputHelper output) : IDisposable
{
    private const string Steps = "60";
    private const int Ranks = 2 * TwoHosts.RanksOfAHost;
    private const double ShortSeconds = 4;

    // Against hanging for ever, and no measure of anything.
    private static readonly TimeSpan s_guard = TimeSpan.FromSeconds(90);

    private readonly TemporaryStore _store = new();

    [MachineFact]
    public void Hosts_that_are_lost_with_their_disks_cost_no_bit_of_the_result()
    {
        using TwoHosts hosts = new(_store.Path);
        Random random = new(1);
        string expected = Assert.Single(Ends(Run(hosts, null, 0).Output));
        Start(hosts);

        Stopwatch time = Stopwatch.StartNew();
        int lost = 0, killed = 0, ended = 0, safe = 0;
        while (lost + killed < 2 || time.Elapsed < Soak.Time(ShortSeconds))
        {
            int host = random.Next(2);
            (string said, bool wasCut) =
                Run(hosts, TimeSpan.FromSeconds(0.8 + 3 * random.NextDouble()), host);
            int from =
                From().Matches(said).Select(match => Number(match.Groups[1])).Distinct().SingleOrDefault();
            if (said.Contains("from ", StringComparison.Ordinal)) Assert.True(from >= safe, said);
            Assert.All(Ends(said), end => Assert.Equal(expected, end));
            Assert.DoesNotContain("None of the", said, StringComparison.Ordinal);
            if (!wasCut)
            {
                ended++;
                safe = 0;
                Start(hosts);
                continue;
            }

            // A host is lost with its disk only when partners have made up for the last loss.
            int copied =
                Copied().Matches(said).Select(match => Number(match.Groups[1])).DefaultIfEmpty(0).Max();
            safe = Math.Max(safe, copied);
            if (copied == 0) killed++;
            else
            {
                hosts.EmptyDisk(host);
                lost++;
            }
        }

        output.WriteLine($"{lost} hosts lost with their disks, {killed} without, {ended} runs to the end");
        Assert.Equal(expected, Assert.Single(Ends(Run(hosts, null, 0).Output)));
    }

    public void Dispose() => _store.Dispose();

    [GeneratedRegex(@"from (\d+) at ")]
    private static partial Regex From();

    [GeneratedRegex(@"Partner has (\d+)")]
    private static partial Regex Copied();

    [GeneratedRegex(@"ends with (\w+)")]
    private static partial Regex End();

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Ends(string said) =>
        End().Matches(said).Select(match => match.Groups[1].Value).Distinct();

    /// <summary>A new job.</summary>
    private static void Start(TwoHosts hosts)
    {
        for (int host = 0; host < 2; host++)
        {
            if (Directory.Exists(hosts.DirectoryOf(host))) hosts.EmptyDisk(host);
        }
    }

    /// <summary>Runs the job to its end, or to a moment at which a host loses power.</summary>
    private (string Output, bool WasCut) Run(TwoHosts hosts, TimeSpan? until, int host)
    {
        using Process mpirun = Process.Start(
            hosts.Start("ranks-levels", _store.Path, "partner", Steps, "none", "0", "0"))!;
        Task<string> said = mpirun.StandardOutput.ReadToEndAsync();
        Task<string> errors = mpirun.StandardError.ReadToEndAsync();
        bool wasCut = until is { } moment && !mpirun.WaitForExit(moment);
        if (wasCut) hosts.CutPower(host);
        if (!mpirun.WaitForExit(s_guard))
        {
            hosts.CutPower(0);
            hosts.CutPower(1);
            mpirun.Kill(entireProcessTree: true);
            Assert.Fail($"the ranks had not ended after {s_guard}\n{said.Result}{errors.Result}");
        }

        // The other host's processes have nobody to talk to.
        if (wasCut) hosts.CutPower(1 - host);
        Assert.True(wasCut || mpirun.ExitCode == 0, said.Result + errors.Result);
        return (said.Result, wasCut);
    }
}
