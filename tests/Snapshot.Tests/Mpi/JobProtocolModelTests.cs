using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Mpi;

/// <summary>The protocol of a job, explored: every order of steps, with crashes between any two.</summary>
public sealed class JobProtocolModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(3, 3)]
    [InlineData(4, 2)]
    public void A_restart_is_of_one_cut_that_is_whole_and_no_older_than_what_was_told(int cuts, int crashes)
    {
        (int states, string? fault) =
            new JobProtocolModel(cuts, crashes, JobProtocolFlaw.None).Explore();
        output.WriteLine($"{states} states");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(JobProtocolFlaw.RestartsByNumber)]
    [InlineData(JobProtocolFlaw.LetsGoAtTheCommit)]
    [InlineData(JobProtocolFlaw.LetsGoBeforeAllKnow)]
    [InlineData(JobProtocolFlaw.PublishesBeforeAllIsDurable)]
    [InlineData(JobProtocolFlaw.AnnouncesBeforeItIsPublished)]
    public void The_exploration_finds_a_planted_flaw(JobProtocolFlaw flaw)
    {
        (int states, string? fault) = new JobProtocolModel(cuts: 4, crashes: 2, flaw).Explore();
        Assert.NotNull(fault);
        output.WriteLine($"{states} states\n{fault}");
    }
}
