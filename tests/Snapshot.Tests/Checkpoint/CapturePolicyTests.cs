using Snapshot.Checkpoint;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

/// <summary>Every rule of the policy, with the reason that a report gives.</summary>
public sealed class CapturePolicyTests
{
    private static readonly CaptureSituation s_able = new(
        CopiesBefore: true, FreezesUnnoticed: true, IsTrackingPinned: false, IsFilling: false,
        IsFreezing: true,
        PagesChanged: 1000, StagingPages: 100_000, HugePart: 1);

    [Theory]
    [InlineData(CaptureMode.Stage)]
    [InlineData(CaptureMode.PreCopy)]
    [InlineData(CaptureMode.CopyOnWrite)]
    public void What_is_asked_for_is_done(CaptureMode wanted) =>
        Expect(new CapturePolicy { Wanted = wanted }, s_able, wanted, "chosen by option");

    [Fact]
    public void Copy_on_write_asked_for_without_privilege_names_what_fails() => Expect(
        new CapturePolicy { Wanted = CaptureMode.CopyOnWrite }, s_able with { FreezesUnnoticed = false },
        CaptureMode.CopyOnWrite, "EFAULT");

    [Fact]
    public void Copy_on_write_asked_for_waits_for_a_lazy_restart() => Expect(
        new CapturePolicy { Wanted = CaptureMode.CopyOnWrite }, s_able with { IsFilling = true },
        CaptureMode.PreCopy, "still filling the arena; then copy-on-write");

    [Fact]
    public void Where_writes_are_not_seen_before_the_pause_memory_is_staged() => Expect(
        new(), s_able with { CopiesBefore = false, FreezesUnnoticed = false, HugePart = 0 },
        CaptureMode.Stage,
        "when it has stopped");

    [Fact]
    public void Copy_on_write_needs_no_finder_that_sees_every_write_and_what_is_sparse_is_staged()
    {
        CaptureSituation old = s_able with { CopiesBefore = false };
        CapturePolicy policy = new();
        Expect(policy, old, CaptureMode.CopyOnWrite, "nothing is known yet");
        policy.Observe(pages: 100, spans: 50);
        Expect(policy, old, CaptureMode.Stage, "2 of 512");
    }

    [Fact]
    public void Without_privilege_copy_on_write_is_not_chosen() =>
        Expect(
            new(), s_able with { FreezesUnnoticed = false, HugePart = 0 }, CaptureMode.PreCopy,
            "without privilege");

    [Fact]
    public void A_tracking_mechanism_asked_for_is_kept() =>
        Expect(new(), s_able with { IsTrackingPinned = true }, CaptureMode.PreCopy, "chosen by option");

    [Fact]
    public void A_lazy_restart_is_filled_first() =>
        Expect(new(), s_able with { IsFilling = true }, CaptureMode.PreCopy, "still filling");

    [Fact]
    public void What_does_not_fit_the_staging_area_is_not_copied_before() => Expect(
        new(), s_able with { PagesChanged = 100_001, HugePart = 0 }, CaptureMode.CopyOnWrite, "does not fit");

    [Fact]
    public void Memory_that_never_was_in_huge_pages_is_pre_copied() =>
        Expect(
            new(), s_able with { HugePart = 0.49 }, CaptureMode.PreCopy,
            "49 % of the memory is in huge pages");

    [Fact]
    public void An_arena_begins_with_copy_on_write() =>
        Expect(new(), s_able, CaptureMode.CopyOnWrite, "nothing is known yet");

    [Theory]
    [InlineData(128, false, CaptureMode.CopyOnWrite)]
    [InlineData(127, false, CaptureMode.PreCopy)]
    [InlineData(96, true, CaptureMode.CopyOnWrite)]
    [InlineData(95, true, CaptureMode.PreCopy)]
    public void Between_the_thresholds_of_density_nothing_is_changed(
        int density, bool isFreezing, CaptureMode mode)
    {
        CapturePolicy policy = new();
        policy.Observe(density * 10, 10);
        Expect(policy, s_able with { IsFreezing = isFreezing }, mode, $"{density} of 512 pages change");
        policy.Observe(0, 0);
        policy.Observe(512, 1);
        Expect(policy, s_able with { IsFreezing = isFreezing }, mode, $"{density} of 512 pages change");
    }

    [Fact]
    public void Memory_that_tracking_split_counts_as_huge_until_the_kernel_cannot_join_it()
    {
        CapturePolicy policy = new();
        policy.Observe(5120, 10);
        CaptureSituation split = s_able with { HugePart = 0.1, IsFreezing = false };
        Expect(policy, split, CaptureMode.CopyOnWrite, "512 of 512");
        policy.Collapsed(0.4);
        Expect(policy, split, CaptureMode.PreCopy, "in huge pages");
        policy.Collapsed(0.9);
        Expect(policy, split, CaptureMode.CopyOnWrite, "512 of 512");
    }

    private static void Expect(CapturePolicy policy, CaptureSituation now, CaptureMode mode, string reason)
    {
        CaptureChoice choice = policy.Choose(now);
        Assert.Equal(mode, choice.Mode);
        Assert.Contains(reason, choice.Reason, StringComparison.Ordinal);
    }
}
