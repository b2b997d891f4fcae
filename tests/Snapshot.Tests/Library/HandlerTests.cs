using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>When the library calls handlers of C, and when no more: scenes of handlers.c.</summary>
[Needs(Programs = ["cc"], Toolchain = true)]
public sealed class HandlerTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    /// <remarks>Prepare, resume and committed are counted.</remarks>
    [MachineFact]
    public void What_a_handler_is_to_be_told_it_is_told_before_the_session_is_closed() =>
        Assert.Equal("closed: 1 1 1\n", Run("close"));

    [MachineFact]
    public void No_part_is_called_after_its_handler_was_removed_and_one_that_runs_is_waited_for() =>
        Assert.Equal("removed: 1 0 0\nthe same\n", Run("remove"));

    [MachineFact]
    public void A_part_may_remove_its_own_handler() => Assert.Equal("closed: 1 0 0\n", Run("itself"));

    public void Dispose() => _workshop.Dispose();

    private string Run(string scene)
    {
        string program = _workshop.Build(
            [Path.Combine(LibraryWorkshop.Sources, "handlers.c")], "cc", "-std=c11", "-D_GNU_SOURCE", "-Wall",
            "-Wextra", "-Wconversion", "-Werror");
        return Repository.Run(_workshop.PathOf(""), program, scene, _workshop.PathOf("store")).Good();
    }
}
