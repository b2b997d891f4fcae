using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Mpi;

/// <summary>The levels of a job, explored: crashes and lost hosts between any two steps.</summary>
public sealed class JobLevelModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(4, 1, 1)]
    [InlineData(3, 0, 2)]
    public void Losing_a_host_costs_nothing_that_partners_were_told_to_have(int cuts, int crashes, int losses)
    {
        (int states, string? fault) =
            new JobLevelModel(cuts, crashes, losses, JobLevelFlaw.None).Explore();
        output.WriteLine($"{states} states");
        Assert.True(fault is null, fault);
    }

    [Theory]
    [InlineData(JobLevelFlaw.OneHostKeepsTheManifest)]
    [InlineData(JobLevelFlaw.ListsBeforeAllHaveCopied)]
    [InlineData(JobLevelFlaw.LetsCopiesGoBeforeTheNewOnesAreListed)]
    [InlineData(JobLevelFlaw.LetsTheNewestCopiedGo)]
    [InlineData(JobLevelFlaw.LetsGoWhatIsBeingCopied)]
    [InlineData(JobLevelFlaw.KeepsCopiesOnTheSameHost)]
    public void The_exploration_finds_a_planted_flaw(JobLevelFlaw flaw)
    {
        (int states, string? fault) = new JobLevelModel(cuts: 4, crashes: 1, losses: 1, flaw).Explore();
        Assert.NotNull(fault);
        output.WriteLine($"{states} states\n{fault}");
    }
}
