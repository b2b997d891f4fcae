using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Interop;

/// <summary>What is advised fits what the kernel answered.</summary>
public sealed class NativeErrorTests
{
    [Theory]
    [InlineData(11, true)]
    [InlineData(12, true)]
    [InlineData(28, true)]
    [InlineData(1, false)]
    [InlineData(22, false)]
    [InlineData(38, false)]
    public void Only_who_lacked_memory_is_told_to_free_some(int errno, bool lacksMemory)
    {
        SnapshotException error = NativeError.ForMemory(errno, "mmap of a buffer", "Leave more memory free.");
        Assert.Equal((SnapshotErrorCode.SystemCall, "mmap of a buffer", (int?)errno),
            (error.Code, error.Step, error.Errno));
        Assert.Equal(
            lacksMemory, error.Message.Contains("Leave more memory free.", StringComparison.Ordinal));
        Assert.Equal(!lacksMemory, error.Message.Contains("no lack of memory", StringComparison.Ordinal));
        NativeError.ThrowIfNoMemory(0, "mmap of a buffer", "Leave more memory free.");
    }
}
