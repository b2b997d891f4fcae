using System.Runtime.Versioning;
using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Profiles;

/// <summary>A program that changes its user and goes on, as daemons and launchers of jobs do.</summary>
[SupportedOSPlatform("linux")]
public sealed class ChangedUserTests
{
    [RootFact]
    public void What_the_kernel_closes_then_is_not_used()
    {
        ProgramResult run = Run("first");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.StartsWith("pagemap False ", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("committed 5\n", run.Output, StringComparison.Ordinal);
    }

    [RootFact]
    public void What_was_there_when_the_machine_was_probed_and_is_gone_is_an_error_that_tells_the_way_out()
    {
        ProgramResult run = Run("probed");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("SystemCall 13 ", run.Output, StringComparison.Ordinal);
        Assert.Contains("PR_SET_DUMPABLE", run.Output, StringComparison.Ordinal);

        run = Run("dumpable");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.EndsWith("committed 5\n", run.Output, StringComparison.Ordinal);
    }

    private static ProgramResult Run(string when) =>
        Profile.ThisMachine.Run("Snapshot.TestPrograms", "changed-user", "store", when);
}
