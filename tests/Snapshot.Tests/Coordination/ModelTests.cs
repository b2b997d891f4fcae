using Snapshot.Coordination;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Coordination;

/// <summary>
/// The barrier's rules, explored exhaustively: nobody waits for ever, one winner per phase, no capture while
/// someone runs, no lost wake-up, nobody counted twice. Broken rules show that the explorer would notice.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 0, Freedom.All)]
    [InlineData(2, 2, Freedom.All)]
    [InlineData(3, 3, Freedom.All)]
    internal void The_protocol_keeps_its_promises_in_every_interleaving(
        int participants, int attached, Freedom freedom)
    {
        BarrierModel model = new(participants, freedom, new ModelRules());
        int states = Explorer.Explore(model, BarrierModel.Initial(participants, attached));
        output.WriteLine($"{participants} participants, {freedom}: {states:N0} states");
        Assert.True(states > 100);
    }

    [Theory]
    [InlineData("the last arriver does not enter Capture")]
    [InlineData("a leaver does not enter Capture")]
    [InlineData("the last one out of a critical section does not enter Async")]
    [InlineData("newcomers may join in Capture")]
    [InlineData("blocked participants may re-join in Capture")]
    [InlineData("the parked are counted only when they wake")]
    [InlineData("an abort forgets the parked")]
    [InlineData("parking forgets which attempt it is for")]
    [InlineData("release does not wake")]
    [InlineData("raise does not wake")]
    [InlineData("sleepers do not compare")]
    [InlineData("winners do not notify")]
    [InlineData("a refused try is no safepoint")]
    [InlineData("the exit does not look at the announcement")]
    [InlineData("the exit looks at the phase first")]
    [InlineData("the end of an announcement does not wake")]
    public void A_broken_rule_is_found(string mutation)
    {
        BarrierModel model = new(2, Freedom.All, Broken(mutation));
        ModelViolationException violation = Assert.Throws<ModelViolationException>(
            () => Explorer.Explore(model, BarrierModel.Initial(2, 2)));
        output.WriteLine(violation.Message);
    }

    [Fact]
    public void The_attempt_number_wraps_and_stays_apart_from_the_phase()
    {
        long word = (0xFF_FFFFL << 40) | 3;
        Assert.True(PhaseWord.TryBegin(word, out long next));
        Assert.Equal(0, PhaseWord.AttemptOf(next));
        Assert.Equal(Phase.Async, PhaseWord.PhaseOf(next));
        Assert.Equal(3, PhaseWord.RunningOf(next));
        Assert.Equal(0xFF_FFFF, PhaseWord.AttemptOf(word));
    }

    [Fact]
    public void Counts_do_not_run_into_each_other_at_their_limit()
    {
        long word = 0;
        for (int index = 0; index < PhaseWord.CountMax; index++)
        {
            Assert.True(PhaseWord.TryAttach(word, out word));
            Assert.True(PhaseWord.TryEnterCritical(word, out word));
        }

        Assert.Equal(
            (PhaseWord.CountMax, PhaseWord.CountMax, Phase.Idle),
            (PhaseWord.RunningOf(word), PhaseWord.HeldOf(word), PhaseWord.PhaseOf(word)));
        Assert.True(PhaseWord.TryBegin(word, out word));
        for (int index = 0; index < PhaseWord.CountMax; index++)
            Assert.True(PhaseWord.TryExitCritical(word, out word));
        Assert.Equal(Phase.Async, PhaseWord.PhaseOf(word));
        Assert.True(PhaseWord.TryRaise(word, out word));
        for (int index = 0; index < PhaseWord.CountMax; index++)
            Assert.True(PhaseWord.TryPark(word, 1, out word));
        Assert.Equal(Phase.Capture, PhaseWord.PhaseOf(word));
        Assert.True(PhaseWord.TryRelease(word, out word));
        Assert.Equal((PhaseWord.CountMax, 0), (PhaseWord.RunningOf(word), PhaseWord.HeldOf(word)));
    }

    private static ModelRules Broken(string mutation) => mutation switch
    {
        "the last arriver does not enter Capture" =>
            new()
            {
                Park =
                (word, attempt) => (PhaseWord.TryPark(word, attempt, out long next), Stay(word, next))
            },
        "a leaver does not enter Capture" =>
            new()
            {
                Stop =
                (word, out next) => PhaseWord.TryStop(word, out next) & (next = Stay(word, next)) == next
            },
        "the last one out of a critical section does not enter Async" => new()
        {
            ExitCritical = (word, out next) =>
                PhaseWord.TryExitCritical(word, out next) & (next = Stay(word, next)) == next,
        },
        "newcomers may join in Capture" => new() { Attach = Always },
        "blocked participants may re-join in Capture" => new() { Rejoin = Always },
        "the parked are counted only when they wake" => new()
        {
            Release = (word, out next) => PhaseWord.TryRelease(word, out next) & (next &= ~0xFFFFL) == next,
        },
        "an abort forgets the parked" => new()
        {
            Abort = (word, out next) =>
                PhaseWord.TryAbort(word, out next) & (next = (next & ~0xFFFFL) | (word & 0xFFFF)) == next,
        },
        "parking forgets which attempt it is for" => new()
        {
            Park = (word, _) => (PhaseWord.TryPark(word, PhaseWord.AttemptOf(word), out long next), next),
        },
        "release does not wake" => new() { WakesOnRelease = false },
        "raise does not wake" => new() { WakesOnRaise = false },
        "sleepers do not compare" => new() { ComparesBeforeSleeping = false },
        "winners do not notify" => new() { WinnerNotifies = false },
        "a refused try is no safepoint" => new() { RefusedTryIsSafepoint = false },
        "the exit does not look at the announcement" => new() { ExitLooksAtTheAnnouncement = false },
        "the exit looks at the phase first" => new() { ExitLooksAtThePhaseFirst = true },
        "the end of an announcement does not wake" => new() { WakesAtTheEndOfAnAnnouncement = false },
        _ => throw new ArgumentOutOfRangeException(nameof(mutation)),
    };

    /// <summary>The change without the step to another phase.</summary>
    private static long Stay(long word, long next) => (next & ~(0xFFL << 32)) | (word & (0xFFL << 32));

    private static bool Always(long word, out long next)
    {
        next = word + 1;
        return true;
    }
}
