using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Interop;

/// <summary>
/// Over given trees of /proc and /sys: the least limit counts, and what cannot be read does not.
/// </summary>
public sealed class AvailableMemoryTests : IDisposable
{
    private const string SecondMount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
    private const string FirstMount =
        "31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
        "32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("snapshot-available-");

    public AvailableMemoryTests()
    {
        Put("proc/meminfo", "MemAvailable:    8000 kB\nCommitLimit: 7000 kB\nCommitted_AS: 6500 kB\n");
        Put("proc/sys/vm/overcommit_memory", "0\n");
        Put("proc/self/status", "VmPeak:\t 99 kB\nVmSize:\t    3000 kB\nVmData:\t 1000 kB\n");
        Limits("unlimited", "unlimited");
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Without_other_limits_it_is_what_the_machine_has() => AssertLeast(8000 << 10, "MemAvailable");

    [Fact]
    public void Nothing_to_read_limits_nothing()
    {
        Directory.Delete(Path.Combine(_root.FullName, "proc"), recursive: true);
        AssertLeast(long.MaxValue, "nothing");
    }

    [Fact]
    public void Where_nothing_is_overcommitted_the_commit_limit_counts()
    {
        Put("proc/sys/vm/overcommit_memory", "2\n");
        AssertLeast(500 << 10, "vm.overcommit_memory=2");
        Put("proc/meminfo", "MemAvailable: 8000 kB\nCommitLimit: 7000 kB\nCommitted_AS: 7001 kB\n");
        AssertLeast(0, "vm.overcommit_memory=2");
    }

    [Fact]
    public void Address_space_and_data_have_limits_of_which_some_is_used()
    {
        Limits($"{5000 << 10}", "unlimited");
        AssertLeast(2000 << 10, "ulimit -v");
        Limits($"{5000 << 10}", $"{1500 << 10}");
        AssertLeast(500 << 10, "ulimit -d");
    }

    [Fact]
    public void A_group_of_version_2_and_all_above_it_count()
    {
        Put("proc/self/mountinfo", SecondMount);
        Put("proc/self/cgroup", "0::/a/b\n");
        Group("a/b", "max", "max", 1000);
        AssertLeast(8000 << 10, "MemAvailable");
        Group("a", $"{4000 << 10}", "max", 1000 << 10);
        AssertLeast(3000 << 10, "memory.max of the control group /sys/fs/cgroup/a");
        Group("a/b", "max", $"{900 << 10}", 100 << 10);
        AssertLeast(800 << 10, "memory.high of the control group /sys/fs/cgroup/a/b");
        Put("sys/fs/cgroup/a/b/memory.stat", $"anon 5\ninactive_file {60 << 10}\nactive_file 7\n");
        AssertLeast(860 << 10, "memory.high");
    }

    [Fact]
    public void A_group_of_version_1_counts_with_those_above_it()
    {
        Put("proc/self/mountinfo", FirstMount);
        Put("proc/self/cgroup", "5:cpu:/elsewhere\n4:memory:/job/step\n0::/\n");
        Put("sys/fs/cgroup/memory/job/step/memory.usage_in_bytes", "4096\n");
        Put("sys/fs/cgroup/memory/job/step/memory.limit_in_bytes", "9223372036854771712\n");
        AssertLeast(8000 << 10, "MemAvailable");
        Put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", $"{700 << 10}\n");
        Put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", $"{1000 << 10}\n");
        Put("sys/fs/cgroup/memory/job/memory.stat", $"inactive_file 1\ntotal_inactive_file {200 << 10}\n");
        AssertLeast(500 << 10, "memory.limit_in_bytes of the control group /sys/fs/cgroup/memory/job");
    }

    [Theory]
    [InlineData("/docker/abc", "/docker/abc/inner", "inner")]
    [InlineData("/docker/abc", "/docker/abc", "")]
    [InlineData("/docker/abc", "/docker/abcdef", "")] // of another: what is mounted is all there is
    [InlineData("/", "/../outside", "")]
    public void A_container_sees_its_own_group_as_the_top(string mounted, string group, string inside)
    {
        Put("proc/self/mountinfo", $"30 23 0:26 {mounted} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Put("proc/self/cgroup", $"0::{group}\n");
        Group(inside, $"{2000 << 10}", "max", 0);
        AssertLeast(2000 << 10, "memory.max");
    }

    [Fact]
    public void Of_this_process_there_is_something() =>
        Assert.InRange(AvailableMemory.Now().Bytes, 1 << 20, 1L << 50);

    private void AssertLeast(long bytes, string source)
    {
        AvailableMemory least = AvailableMemory.Least(_root.FullName);
        Assert.Equal(bytes, least.Bytes);
        Assert.Contains(source, least.Source, StringComparison.Ordinal);
    }

    private void Limits(string addressSpace, string data) => Put(
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n" +
        $"Max data size             {data}            unlimited            bytes     \n" +
        $"Max address space         {addressSpace}            unlimited            bytes     \n");

    private void Group(string group, string max, string high, long used)
    {
        Put($"sys/fs/cgroup/{group}/memory.max", $"{max}\n");
        Put($"sys/fs/cgroup/{group}/memory.high", $"{high}\n");
        Put($"sys/fs/cgroup/{group}/memory.current", $"{used}\n");
    }

    private void Put(string path, string text)
    {
        string file = Path.Combine(_root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
