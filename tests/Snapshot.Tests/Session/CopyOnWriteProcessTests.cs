using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Session;

/// <summary>Copy-on-write in a process that is killed, and in one of an ordinary user.</summary>
[SupportedOSPlatform("linux")]
public sealed class CopyOnWriteProcessTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [MachineFact]
    [Needs(Capability.CopyOnWrite)]
    public void A_process_killed_while_frozen_memory_is_drained_restarts_from_the_generation_before()
    {
        using (TestProgram program = new("cow-killed", _store.Path))
            Assert.Contains("captured CopyOnWrite", program.ReadUntil("overwritten"));
        using TestProgram next = new("cow-goes-on", _store.Path);
        Assert.Equal("generation 1, as it was True, parent 1\n", next.WaitForEnd().Output);
    }

    [MachineFact]
    [Needs(Capability.CopyOnWrite, Capability.WriteTracking, Programs = ["cc"])]
    public void An_ordinary_user_has_copy_on_write_by_name_alone_and_is_told_what_fails()
    {
        (int exitCode, string text) = OrdinaryUser.Run("cow-as-user");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);
        Assert.Contains("named CopyOnWrite: chosen by option", text, StringComparison.Ordinal);
        Assert.Contains("restarted 3 False\n", text, StringComparison.Ordinal);

        // Where the sysctl or the device allows it, an ordinary user has the full form.
        if (text.Contains("system call succeeded", StringComparison.Ordinal)) return;
        Assert.Contains("system call failed: Bad address", text, StringComparison.Ordinal);
        Assert.Contains("EFAULT", text, StringComparison.Ordinal);
        Assert.Contains("free PreCopy: copy-on-write without privilege", text, StringComparison.Ordinal);
    }
}
