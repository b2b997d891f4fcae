using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Restart;

[SupportedOSPlatform("linux")]
public sealed class LazyAsUserTests(ITestOutputHelper output)
{
    [MachineFact]
    [Needs(Capability.PagesOnDemand, Programs = ["cc"])]
    public void An_ordinary_user_restarts_lazily_and_is_told_that_system_calls_do_not_wait()
    {
        (int exitCode, string text) = OrdinaryUser.Run("lazy-as-user");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);

        // Where the sysctl or the device allows it, an ordinary user has the full form.
        bool waits = text.Contains("waits True", StringComparison.Ordinal);
        Assert.Contains(
            waits ? "system call succeeded" : "system call failed", text, StringComparison.Ordinal);
        const long Sum = (1L << 20) * ((1L << 20) - 1) / 2; // the byte that the call writes was zero before
        Assert.Contains($"sum {Sum}\n", text, StringComparison.Ordinal);
    }
}
