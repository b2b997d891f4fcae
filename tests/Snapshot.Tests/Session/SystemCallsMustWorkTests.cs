using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Session;

/// <summary>
/// What makes system calls on arenas fail is refused where the program says that they must work, and done
/// where they do.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SystemCallsMustWorkTests(ITestOutputHelper output)
{
    [MachineFact]
    [Needs(Capability.CopyOnWrite, Capability.WriteTracking, Programs = ["cc"])]
    public void An_ordinary_user_is_refused_copy_on_write_and_restarts_eagerly()
    {
        (int exitCode, string text) = OrdinaryUser.Run("system-calls-at-work");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);
        Assert.EndsWith("right\n", text, StringComparison.Ordinal);

        // Where the sysctl or the device allows it, an ordinary user has the full form.
        if (text.Contains("session opened", StringComparison.Ordinal)) return;
        Assert.Contains("session Unsupported", text, StringComparison.Ordinal);
        Assert.Contains("arena Unsupported", text, StringComparison.Ordinal);
        Assert.Contains("fails with EFAULT, so a message", text, StringComparison.Ordinal);
        Assert.Contains("captured PreCopy", text, StringComparison.Ordinal);
        Assert.Contains("fill Eager system calls must work", text, StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(
        Capability.CopyOnWriteInSystemCalls, Capability.PagesOnDemandInSystemCalls, Capability.WriteTracking)]
    public void With_privilege_both_are_there_and_system_calls_wait()
    {
        using TestProgram program = new("system-calls-at-work");
        (int exitCode, string text, string error) = program.WaitForEnd();
        output.WriteLine(text);
        Assert.True(exitCode == 0, text + error);
        Assert.Contains("session opened\n", text, StringComparison.Ordinal);
        Assert.Contains("signals Unsupported", text, StringComparison.Ordinal);
        Assert.Contains("arena opened\n", text, StringComparison.Ordinal);
        Assert.Contains("captured CopyOnWrite\n", text, StringComparison.Ordinal);
        Assert.Contains("fill Lazy \n", text, StringComparison.Ordinal);
        Assert.EndsWith("right\n", text, StringComparison.Ordinal);
    }
}
