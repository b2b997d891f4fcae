using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// A seccomp filter answers calls whose failure costs a courtesy only: sessions, checkpoints, arenas and
/// restarts work.
/// </summary>
public sealed class ForbiddenCallsTests : IDisposable
{
    private const int NotPermitted = 1;
    private const int AccessDenied = 13;
    private const int NotImplemented = 38;

    private const string GetPriority = "140";
    private const string SetPriority = "141";
    private const string Prctl = "157";
    private const string FutexWaitv = "449";
    private const string Userfaultfd = "323";

    // setscheduler, fadvise, ioprio_set, fallocate; madvise of HUGEPAGE, NOHUGEPAGE, POPULATE_WRITE,
    // COLLAPSE. (Without setaffinity the runtime does not start.)
    private static readonly string[] s_hints = ["144", "221", "251", "285", "28:14", "28:15", "28:23",
        "28:25"];

    private static readonly string[] s_all = [FutexWaitv, SetPriority, GetPriority, Prctl, .. s_hints];

    private readonly TemporaryStore _store = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-filter-");

    public static TheoryData<int, string[], RestartFill> Filters => new()
    {
        { NotPermitted, [FutexWaitv], RestartFill.Eager },
        { NotPermitted, [SetPriority], RestartFill.Eager },
        { NotPermitted, [GetPriority], RestartFill.Eager },
        { NotPermitted, [Prctl], RestartFill.Eager },
        { NotPermitted, s_hints, RestartFill.Eager },
        { NotPermitted, s_all, RestartFill.Lazy },
        { NotPermitted, [.. s_all, Userfaultfd], RestartFill.Eager },
        { AccessDenied, s_all, RestartFill.Eager },
        { NotImplemented, s_all, RestartFill.Eager },
    };

    public void Dispose()
    {
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void What_a_filter_forbids_costs_a_courtesy_only(int errno, string[] calls, RestartFill fill)
    {
        RestartFill possible =
            MachineCapabilities.Current[Capability.PagesOnDemand] ? fill : RestartFill.Eager;
        string launcher = Path.Combine(_folder.FullName, "deny_calls");
        ProgramResult built = Repository.Run(
            _folder.FullName, "cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
            Path.Combine(Repository.Root, "tests/Snapshot.FaultRig/deny_calls.c"), "-o", launcher);
        Assert.True(built.ExitCode == 0, built.ToString());
        ProgramResult run = Repository.Run(
            _folder.FullName, launcher,
            [$"{errno}", .. calls, "--", "dotnet", "exec",
                Path.Combine(
                    AppContext.BaseDirectory, "Snapshot.TestPrograms.dll"), "filtered-life", _store.Path,
                possible.ToString()]);

        // The last round of a life is after its last checkpoint: a restart begins at the one before.
        string[] expected = [.. Enumerable.Range(0, 3).SelectMany(Life)];
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(expected, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static IEnumerable<string> Life(int life) => life switch
    {
        0 => ["generation 0, rounds 0, staged 0", "committed 1", "committed 2", "committed 3"],
        1 => ["generation 3, rounds 2, staged 3", "committed 4"],
        _ => ["generation 4, rounds 2, staged 3", "committed 5"],
    };
}
