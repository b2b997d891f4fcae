using Snapshot.Tests.Memory.Locks;
using Xunit;
using Xunit.Abstractions;
using static Snapshot.Tests.Tracking.FreezeModel;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// The ways in which freezing memory is commonly wrong, or was here, to show that the exploration would find
/// them.
/// </summary>
public enum FreezeFlaw
{
    None,
    NotesWriteAfterUnprotecting,
    ArmsAfterProtecting,
    CopiesAfterUnprotecting,
    OpensAheadWithoutCopying,
    FreezesWithoutLooking,
    FreezesWithoutLock,
    CollectsWithoutLock,
    ArmsWithoutLock,
    NotesPagesThatWereNotArmed,
    DiscardsWithoutSecuring,
    ReturnsSlotBeforeReading,
    TakesEveryCopyForItsOwn,
    SleepsWithoutComparing,
    LooksForWaitersBeforeCounting,
    ForgetsWhatItTookEarly,
    ProtectsNothingEarly,
    ArmsWhatIsOpen,
    ForgetsWhatIsOpen,
    OpensWithoutSecuring,
    OpensDuringCollect,
    AsksBeforeReading,
    CopiesWithoutAsking,
    LooksForNothingLost,
    LosesWhatIsOpened,
}

/// <summary>
/// Copy-on-write as a model: two pages of one span, two writers, two servers, a thread that discards, one
/// that writes in the pause all the same, a device that writes a page that is open for it, the collect and
/// the drain; every access to a bit, the lock, a slot
/// and the page table is a step of its own. Whatever their order: what is delivered is the content of the
/// moment of freezing, no write goes unreported, no slot is lost or returned twice, and nobody waits for
/// ever.
/// </summary>
public sealed class FreezeModelTests(ITestOutputHelper output)
{
    /// <summary>Who is there, and how often each does its work.</summary>
    /// <param name="Opens">Pages that a write opens: 2, the span; 1, as it does in need.</param>
    /// <param name="Extents">Slots: extents of two.</param>
    /// <param name="Writes">By writer 0 to page 0 and by writer 1 to page 1, a digit each.</param>
    /// <param name="With">Letters: s a stray writer of page 1, d discards of page 1, a opening ahead, h a
    /// hole (page 1 has no memory at first), f a drain that fails, x the drain stops for ever, o another span
    /// has a slot at first, t waits for slots may end by themselves, 1 one capture and not two, e an early
    /// collect before each of them, v a device that writes page 1 twice, when it is opened for it, w the same
    /// with two openings, g page 1 is foreign and goes, and nobody is asked, G the same twice.</param>
    public readonly record struct Scenario(int Opens, int Extents, string Writes, string With)
    {
        internal bool Has(char letter) => With.Contains(letter, StringComparison.Ordinal);
    }

    public static TheoryData<int, int, string, string> Scenarios => new()
    {
        { 2, 1, "22", "" },
        { 1, 1, "22", "" },
        { 2, 1, "11", "a" },
        { 2, 1, "21", "h" },
        { 2, 1, "11", "d" },
        { 1, 0, "11", "d" },
        { 2, 1, "12", "ha" },
        { 2, 1, "01", "da" },
        { 2, 1, "22", "ot1" },
        { 2, 1, "11", "da1" },
        { 2, 1, "10", "s" },
        { 2, 2, "20", "s" },
        { 1, 1, "10", "s" },
        { 2, 1, "10", "sa1" },
        { 2, 1, "11", "f" },
        { 2, 0, "22", "x" },
        { 2, 1, "21", "xa" },
        { 1, 0, "21", "xd" },
        { 2, 1, "21", "e" },
        { 2, 1, "11", "ed" },
        { 2, 1, "11", "eh1" },
        { 2, 1, "11", "ea1" },
        { 2, 1, "10", "es1" },
        { 2, 1, "11", "v1" },
        { 2, 1, "10", "v" },
        { 1, 1, "11", "v" },
        { 1, 0, "10", "w" },
        { 2, 1, "10", "w" },
        { 2, 1, "10", "vh" },
        { 2, 1, "10", "ve" },
        { 2, 1, "10", "va1" },
        { 2, 1, "10", "vf" },
        { 2, 0, "10", "vx" },
        { 2, 1, "11", "g" },
        { 1, 1, "11", "g" },
        { 2, 1, "02", "g" },
        { 2, 1, "20", "g" },
        { 2, 1, "01", "G" },
        { 2, 1, "11", "ge1" },
        { 2, 1, "01", "ge" },
        { 2, 1, "11", "ga1" },
        { 1, 0, "11", "g1" },
        { 2, 1, "10", "gh" },
    };

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Delivers_what_was_frozen_reports_every_write_and_never_hangs(
        int opens, int extents, string writes, string with)
    {
        (int states, string? fault) = Explore(new Scenario(opens, extents, writes, with), FreezeFlaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(FreezeFlaw.NotesWriteAfterUnprotecting, 1, 1, "22", "", "unreported")]
    [InlineData(FreezeFlaw.ArmsAfterProtecting, 2, 1, "20", "s", "later content")]
    [InlineData(FreezeFlaw.CopiesAfterUnprotecting, 2, 1, "22", "", "later content")]
    [InlineData(FreezeFlaw.OpensAheadWithoutCopying, 2, 1, "11", "a", "later content")]
    [InlineData(FreezeFlaw.FreezesWithoutLooking, 2, 1, "20", "s", "later content")]
    [InlineData(FreezeFlaw.FreezesWithoutLock, 2, 1, "20", "s", "later content")]
    [InlineData(FreezeFlaw.CollectsWithoutLock, 2, 1, "11", "a", "later content")]
    [InlineData(FreezeFlaw.ArmsWithoutLock, 2, 1, "11", "d", "later content")]
    [InlineData(FreezeFlaw.NotesPagesThatWereNotArmed, 2, 1, "21", "h", "later content")]
    [InlineData(FreezeFlaw.DiscardsWithoutSecuring, 2, 1, "11", "d", "later content")]
    [InlineData(FreezeFlaw.ReturnsSlotBeforeReading, 1, 1, "22", "", "later content")]
    [InlineData(FreezeFlaw.TakesEveryCopyForItsOwn, 2, 1, "22", "ot1", "slot is lost")]
    [InlineData(FreezeFlaw.SleepsWithoutComparing, 1, 0, "22", "", "stuck")]
    [InlineData(FreezeFlaw.LooksForWaitersBeforeCounting, 1, 0, "22", "", "stuck")]
    [InlineData(FreezeFlaw.ForgetsWhatItTookEarly, 2, 1, "21", "e", "unreported")]
    [InlineData(FreezeFlaw.ProtectsNothingEarly, 2, 1, "21", "e", "later content")]
    [InlineData(FreezeFlaw.ArmsWhatIsOpen, 2, 1, "10", "v", "pinned page is protected")]
    [InlineData(FreezeFlaw.ForgetsWhatIsOpen, 2, 1, "10", "v", "unreported")]
    [InlineData(FreezeFlaw.OpensWithoutSecuring, 2, 1, "10", "v", "unreported")]
    [InlineData(FreezeFlaw.AsksBeforeReading, 2, 1, "10", "g", "later content")]
    [InlineData(FreezeFlaw.CopiesWithoutAsking, 2, 1, "20", "g", "later content")]
    [InlineData(FreezeFlaw.LooksForNothingLost, 2, 1, "01", "g", "unreported")]
    [InlineData(FreezeFlaw.LosesWhatIsOpened, 2, 1, "11", "ga1", "unreported")]
    [InlineData(FreezeFlaw.OpensDuringCollect, 2, 1, "10", "v", "pinned page is protected")]
    public void The_exploration_finds_a_planted_flaw(
        FreezeFlaw flaw, int opens, int extents, string writes, string with, string found)
    {
        (_, string? fault) = Explore(new Scenario(opens, extents, writes, with), flaw);
        output.WriteLine(fault ?? "nothing");
        Assert.Contains(found, fault, StringComparison.Ordinal);
    }

    private static (int States, string? Fault) Explore(Scenario scenario, FreezeFlaw flaw)
    {
        bool stops = scenario.Has('x');
        FreezeModelServers servers = new(flaw, span: scenario.Opens == 2, scenario.Has('t'), stops);
        FreezeModelCollector collector = new(flaw, stops);
        FreezeModelDevice device = new(flaw, span: scenario.Opens == 2);
        return StateExplorer.Explore(Initial(scenario), Steps, Violation, IsEnd);

        IEnumerable<ModelStep<State>> Steps(State state)
        {
            foreach (ModelStep<State> step in servers.Steps(state)) yield return step;
            if (collector.Step(state) is { } capture) yield return capture;
            if (FreezeModelCollector.Fail(state) is { } failure) yield return failure;
            if (FreezeModelCollector.DrainOther(state) is { } other) yield return other;
            if (device.Step(state) is { } write) yield return write;
        }

        bool IsEnd(State state) =>
            (stops
                ? state.Collector.At == CollectorAt.Drain
                : state.Collector is { At: CollectorAt.Outside, Captures: 0 })
            && state.IsQuiet && state.Stray.At == WriterAt.Outside
            && state.Device is { At: DeviceAt.Outside, Opens: 0 }
            && state.Writer0.Budget + state.Writer1.Budget + state.Stray.Budget + state.Discarder.Budget == 0
            && state.Server0.At == ServerAt.Idle && state.Server1.At == ServerAt.Idle;
    }

    /// <summary>After a checkpoint: everything that has memory is armed and protected.</summary>
    private static State Initial(Scenario scenario)
    {
        Page settled = new(Bits.HasMemory | Bits.Armed | Bits.Protected, 1, 1, 0, 0);
        byte captures = (byte)(scenario.Has('x') || scenario.Has('1') ? 1 : 2);
        return new State
        {
            A = settled,
            B = scenario.Has('h') ? default : settled,
            Slots = new Slots((byte)scenario.Extents, 0, 0, 0, 0, false),
            Lock = NobodyHolds,
            OtherHolds = scenario.Has('o'),
            Writer0 = new Writer(WriterAt.Outside, 0, (byte)(scenario.Writes[0] - '0'), false),
            Writer1 = new Writer(WriterAt.Outside, 1, (byte)(scenario.Writes[1] - '0'), false),
            Stray = new Writer(WriterAt.Outside, 1, (byte)(scenario.Has('s') ? 1 : 0), scenario.Has('s')),
            Discarder = new Discarder(
                DiscarderAt.Outside,
                (byte)(scenario.Has('G') ? 2 : scenario.Has('d') || scenario.Has('g') ? 1 : 0)),
            Device = new Device(
                DeviceAt.Outside, (byte)(scenario.Has('w') ? 2 : scenario.Has('v') ? 1 : 0), 2),
            IsForeign = scenario.Has('g') || scenario.Has('G'),
            Aheads = (byte)(scenario.Has('a') ? 1 : 0),
            Collector = new Collector(
                CollectorAt.Outside, 0, captures, 0, false, (byte)(scenario.Has('f') ? 1 : 0),
                scenario.Has('e') ? captures : (byte)0, false),
        };
    }

    private static string? Violation(State state)
    {
        if (state.Collector.Wrong) return "a later content was delivered";
        if (state.Device.At == DeviceAt.Pinned && state[FreezeModelDevice.Page].Has(Bits.Protected) &&
            state[FreezeModelDevice.Page].Has(Bits.Open))
            return "a pinned page is protected";
        if (state.Slots.Fault) return "a slot was returned twice";
        if (state.Collector.At == CollectorAt.Thaw && !state.Slots.AllReturned) return "a slot is lost";
        for (int page = 0; state.Collector.At == CollectorAt.Freeze && page < Pages; page++)
        {
            if (state[page].Has(Bits.MustBeReported) && !state[page].Has(Bits.Changed))
                return $"a write to page {page} is unreported";
        }

        return null;
    }
}
