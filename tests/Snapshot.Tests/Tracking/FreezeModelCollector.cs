using Snapshot.Tests.Memory.Locks;
using static Snapshot.Tests.Tracking.FreezeModel;

namespace Snapshot.Tests.Tracking;

/// <summary>What the checkpoint thread of the model does: freeze.c.</summary>
/// <param name="flaw">What is wrong on purpose.</param>
/// <param name="drainStops">The drain never comes.</param>
internal sealed class FreezeModelCollector(FreezeFlaw flaw, bool drainStops)
{
    private const byte Me = 100;

    internal ModelStep<State>? Step(State state)
    {
        Collector collector = state.Collector;
        switch (collector.At)
        {
            case CollectorAt.Outside when collector is { Captures: > 0, Early: > 0 }:
                if (MayNotHold(state)) return null;
                return Go("an early collect begins", FirstOfArming(state), state with
                {
                    CollectHolds = true,
                    Collector = collector with { Early = (byte)(collector.Early - 1), IsEarly = true },
                });
            case CollectorAt.Outside when collector.Captures > 0:
                return Go("a capture begins", CollectorAt.Stopping, state with { Stop = true });
            case CollectorAt.Stopping when state.IsQuiet && !MayNotHold(state):
                State quiet = state with { Held = true, CollectHolds = true };
                for (int page = 0; page < Pages; page++)
                {
                    if ((state[page].Bits & (Bits.Unreported | Bits.ReportedEarly)) != 0)
                        quiet = quiet.With(
                            page, state[page].With(Bits.MustBeReported).Without(Bits.ReportedEarly));
                }

                return Go("nobody writes", CollectorAt.TakeDropped, quiet);
            case CollectorAt.TakeDropped:
                return TakeDropped(state);
            case CollectorAt.TakeWritten or CollectorAt.SetArmed or CollectorAt.UnlockTaken or
                CollectorAt.Protect:
                return ArmWritten(state);
            case CollectorAt.FindLost or CollectorAt.TakeLost:
                return TakeLost(state);
            case CollectorAt.ArmOpen or CollectorAt.SetArmedOpen or CollectorAt.ProtectOpen:
                return ArmOpen(state);
            case CollectorAt.Freeze or CollectorAt.FreezePage or CollectorAt.UnlockFrozen:
                return Freeze(state);
            case CollectorAt.Release:
                return Go("the pause ends", CollectorAt.Drain, state with { Held = false, Stop = false });
            case CollectorAt.Drain when drainStops:
                return null;
            case CollectorAt.Thaw:
                return Thaw(state);
            default:
                return Drain(state);
        }
    }

    /// <summary>A drain that fails: nothing is wanted any more, and all of it is given back.</summary>
    internal static ModelStep<State>? Fail(State state)
    {
        Collector collector = state.Collector;
        if (collector.At != CollectorAt.Drain || collector.Cancels == 0 || state.Lock != NobodyHolds)
            return null;
        Collector after = collector with { Cancels = (byte)(collector.Cancels - 1) };
        return Failed("the drain fails", state with { Collector = after }) with { Fair = false };
    }

    private static ModelStep<State> Failed(string name, State state)
    {
        State next = state with { Slots = state.Slots.Renewed };
        for (int page = 0; page < Pages; page++)
        {
            Page failed = state[page];
            if (failed.Has(Bits.Changed)) failed = failed.With(Bits.GivenBack | Bits.Unreported);
            next = next.With(page, failed.Without(Bits.Frozen | Bits.Copied | Bits.Changed));
        }

        return Go(name, CollectorAt.Count, next, Pages);
    }

    /// <summary>The drain of another span, which had a slot when the pause ended.</summary>
    internal static ModelStep<State>? DrainOther(State state) =>
        state is { OtherHolds: true, Collector.At: CollectorAt.Drain }
            ? new("another span is drained", state.Wake() with
            {
                OtherHolds = false,
                Slots = state.Slots.Put(0, span: true),
                Changes = (byte)(state.Changes + 1),
            })
            : null;

    /// <summary>A range is being opened.</summary>
    private bool MayNotHold(State state) => state.OpeningHolds && flaw != FreezeFlaw.OpensDuringCollect;

    private bool StaysOpen(Page page) => page.Has(Bits.Open) && flaw != FreezeFlaw.ArmsWhatIsOpen;

    private static ModelStep<State> Go(string name, CollectorAt at, State state, byte page = 0) =>
        new(name, state with { Collector = state.Collector with { At = at, Page = page } });

    private static ModelStep<State>? TakeDropped(State state)
    {
        if (state.Collector.Page == Pages)
        {
            return Go("drops are taken", FirstOfArming(state), state);
        }

        int at = state.Collector.Page;
        Page page = state[at];
        State next = state;
        if (page.Has(Bits.Dropped))
        {
            if (state.Lock != NobodyHolds) return null;
            next = state.With(
                at,
                page.Without(Bits.Dropped | Bits.Armed | Bits.Written | Bits.Unreported).With(Bits.Changed));
        }

        return Go($"a drop of page {at} is looked for", CollectorAt.TakeDropped, next, (byte)(at + 1));
    }

    /// <summary>Where nothing was written the lock is not taken.</summary>
    private static CollectorAt FirstOfArming(State state) =>
        state.A.Has(Bits.Written) || state.B.Has(Bits.Written)
            ? CollectorAt.TakeWritten : AfterWritten(state);

    private static CollectorAt AfterWritten(State state) =>
        state.IsForeign ? CollectorAt.FindLost : CollectorAt.ArmOpen;

    /// <summary>First it is asked what is not protected; then, under the lock, what of it is armed.</summary>
    private ModelStep<State>? TakeLost(State state)
    {
        byte at = state.Collector.Page;
        if (at == Pages) return Go("what is lost is taken", CollectorAt.ArmOpen, state);
        Page page = state[at];
        if (state.Collector.At == CollectorAt.FindLost)
        {
            return page.Has(Bits.Protected) || flaw == FreezeFlaw.LooksForNothingLost
                ? Go($"page {at} is protected still", CollectorAt.FindLost, state, (byte)(at + 1))
                : Go($"page {at} is not protected", CollectorAt.TakeLost, state, at);
        }

        if (state.Lock != NobodyHolds) return null;
        if (page.Has(Bits.Armed) || (page.Has(Bits.Written) && flaw != FreezeFlaw.LosesWhatIsOpened))
            page = Reported(page.Without(Bits.Armed | Bits.Written).With(Bits.Changed), state.Collector);
        return Go($"page {at} is lost", CollectorAt.FindLost, state.With(at, page), (byte)(at + 1));
    }

    /// <summary>Under the lock: written is taken, armed is set. Outside: it is protected.</summary>
    private ModelStep<State>? ArmWritten(State state)
    {
        Collector collector = state.Collector;
        bool locks = flaw != FreezeFlaw.CollectsWithoutLock;
        byte at = collector.Page;
        if (collector.At == CollectorAt.TakeWritten && at == 0 && locks && state.Lock != Me)
            return state.Lock == NobodyHolds
                ? Go("collect locks", CollectorAt.TakeWritten, state with { Lock = Me }) : null;
        if (collector.At == CollectorAt.UnlockTaken)
        {
            return Go(
                "collect unlocks", CollectorAt.Protect, locks ? state with { Lock = NobodyHolds } : state);
        }

        if (at == Pages) return Go("protected", AfterWritten(state), state);
        Page page = state[at];
        bool isLast = at + 1 == Pages;
        switch (collector.At)
        {
            case CollectorAt.TakeWritten when page.Has(Bits.Written) && StaysOpen(page):
                state = state.With(at, Stays(page, collector));
                break;
            case CollectorAt.TakeWritten when page.Has(Bits.Written):
                return Go($"page {at} was written", CollectorAt.SetArmed, state.With(
                    at, page.Without(Bits.Written).With(Bits.Changed | Bits.Taken)), at);
            case CollectorAt.SetArmed when flaw != FreezeFlaw.ArmsAfterProtecting:
                state = state.With(at, page.With(Bits.Armed));
                break;
            case CollectorAt.Protect when page.Has(Bits.Taken):
                bool protects = flaw != FreezeFlaw.ProtectsNothingEarly || !collector.IsEarly;
                Page armed = Reported(protects ? page.Protect() : page, collector).Without(Bits.Taken);
                if (flaw == FreezeFlaw.ArmsAfterProtecting) armed = armed.With(Bits.Armed);
                return Go(
                    $"page {at} is protected", CollectorAt.Protect, state.With(at, armed), (byte)(at + 1));
            case CollectorAt.Protect:
                return Go($"page {at} is left alone", CollectorAt.Protect, state, (byte)(at + 1));
        }

        return Go(
            $"page {at} is taken", isLast ? CollectorAt.UnlockTaken : CollectorAt.TakeWritten, state,
            isLast ? (byte)0 : (byte)(at + 1));
    }

    /// <summary>
    /// What is not armed and has memory is armed, under the lock again, and protected outside.
    /// </summary>
    private ModelStep<State>? ArmOpen(State state)
    {
        Collector collector = state.Collector;
        byte at = collector.Page;
        if (at == Pages && collector.IsEarly)
        {
            State early = state with { Collector = collector with { IsEarly = false } };
            for (int taken = 0; flaw == FreezeFlaw.ForgetsWhatItTookEarly && taken < Pages; taken++)
                early = early.With(taken, early[taken].Without(Bits.Changed));
            return Go(
                "collected early", CollectorAt.Stopping, early with { Stop = true, CollectHolds = false });
        }

        if (at == Pages) return Go("collected", CollectorAt.Freeze, Collected(state));
        Page page = state[at];
        if (collector.At == CollectorAt.ProtectOpen)
        {
            return Go($"page {at} is protected", CollectorAt.ArmOpen, state.With(
                at, Reported(page.Protect(), collector)), (byte)(at + 1));
        }

        if (collector.At == CollectorAt.SetArmedOpen)
        {
            if (state.Lock != NobodyHolds && flaw != FreezeFlaw.ArmsWithoutLock) return null;
            if (StaysOpen(page))
                return Go($"page {at} stays open", CollectorAt.ArmOpen, state.With(
                    at, Stays(page, collector)), (byte)(at + 1));
            return Go($"page {at} is armed", CollectorAt.ProtectOpen, state.With(
                at, page.With(Bits.Armed | Bits.Changed)), at);
        }

        return page.Has(Bits.Armed) || !page.Has(Bits.HasMemory)
            ? Go($"page {at} is passed", CollectorAt.ArmOpen, state, (byte)(at + 1))
            : Go($"page {at} is open", CollectorAt.SetArmedOpen, state, at);
    }

    /// <summary>It is written, and therefore not frozen but copied.</summary>
    private Page Stays(Page page, Collector by) => flaw == FreezeFlaw.ForgetsWhatIsOpen
        ? page
        : Reported(page.With(Bits.Written | Bits.Changed), by);

    private static Page Reported(Page page, Collector by) => page.Has(Bits.Unreported) && by.IsEarly
        ? page.Without(Bits.Unreported).With(Bits.ReportedEarly)
        : page.Without(Bits.Unreported);

    private static State Collected(State state)
    {
        Slots slots = state.Slots.Renewed;
        State next = state with
        {
            Slots = state.OtherHolds ? slots.Take(span: true).Slots : slots,
            CollectHolds = false,
        };
        for (int page = 0; page < Pages; page++)
        {
            if (state[page].Has(Bits.GivenBack))
                next =
                    next.With(page, state[page].Without(Bits.GivenBack | Bits.Unreported).With(Bits.Changed));
        }

        return next;
    }

    private ModelStep<State>? Freeze(State state)
    {
        Collector collector = state.Collector;
        bool locks = flaw != FreezeFlaw.FreezesWithoutLock;
        if (collector.At == CollectorAt.Freeze)
        {
            if (!locks) return Go("freeze begins", CollectorAt.FreezePage, state);
            return state.Lock == NobodyHolds
                ? Go("freeze locks", CollectorAt.FreezePage, state with { Lock = Me }) : null;
        }

        if (collector.At == CollectorAt.UnlockFrozen)
            return Go(
                "freeze unlocks", CollectorAt.Release, locks ? state with { Lock = NobodyHolds } : state);
        byte at = collector.Page;
        if (at == Pages) return Go("frozen", CollectorAt.UnlockFrozen, state);
        Page page = state[at].Without(Bits.MustBeReported) with { Truth = state[at].Content };
        State next = state.With(at, page);
        if (!page.Has(Bits.Changed))
            return Go($"page {at} is not wanted", CollectorAt.FreezePage, next, (byte)(at + 1));
        bool looks = flaw != FreezeFlaw.FreezesWithoutLooking;
        bool isOpen = looks && page.Has(Bits.Written) && !page.Has(Bits.Armed);
        if (isOpen)
        {
            (Slots slots, byte slot) = state.Slots.Take(span: false);
            if (slot == NoSlot) (slots, slot) = state.Slots.TakeNeeded();
            next = next.With(
                at, page.Without(Bits.CopiedWithSpan).With(Bits.Copied) with { Slot = slot }) with
            { Slots = slots.Fill(slot, page.Content) };
        }
        else if (page.Has(Bits.Armed) || !looks)
        {
            next = next.With(at, page.With(Bits.Frozen));
        }

        return Go($"page {at} is frozen", CollectorAt.FreezePage, next, (byte)(at + 1));
    }

    private ModelStep<State>? Drain(State state)
    {
        Collector collector = state.Collector;
        byte at = collector.Page;
        switch (collector.At)
        {
            case CollectorAt.Drain when state.Gone && state.Lock == NobodyHolds:
                return Failed("content is lost", state with { Gone = false });
            case CollectorAt.Drain when at == Pages && state.OtherHolds:
                return null;
            case CollectorAt.Drain when at == Pages:
                return Go("drained", CollectorAt.Thaw, state);
            case CollectorAt.Drain when !state[at].Has(Bits.Changed):
                return Go($"page {at} is in the parent", CollectorAt.Drain, state, (byte)(at + 1));
            case CollectorAt.Drain when state.Lock == NobodyHolds:
                return Go("the drain locks", CollectorAt.Read, state with { Lock = Me }, at);
            case CollectorAt.Read:
                return Read(state);
            case CollectorAt.AskFirst or CollectorAt.ReadForeign or CollectorAt.Ask:
                return ReadForeign(state);
            case CollectorAt.LetGo:
                return Go($"page {at} is let go", CollectorAt.UnlockRead, LetGo(state, at), at);
            case CollectorAt.UnlockRead:
                CollectorAt then =
                    flaw == FreezeFlaw.ReturnsSlotBeforeReading ? CollectorAt.ReadLate : CollectorAt.Count;
                return Go("the drain unlocks", then, state with { Lock = NobodyHolds }, at);
            case CollectorAt.ReadLate:
                return Go(
                    $"page {at} is read late", CollectorAt.Count, Deliver(state, at, collector.Source), at);
            case CollectorAt.Count:
                if (flaw == FreezeFlaw.LooksForWaitersBeforeCounting && state.Waiting == 0)
                    return Go("nobody waits", CollectorAt.CountQuietly, state, at);
                return Go("the drain counts", CollectorAt.Wake, Counted(state), at);
            case CollectorAt.CountQuietly:
                return Go("the drain counts", NextOf(at), Counted(state), Next(at));
            case CollectorAt.Wake:
                return Go("the drain wakes", NextOf(at), state.Wake(), Next(at));
            default:
                return null;
        }

        static State Counted(State state) => state with { Changes = (byte)(state.Changes + 1) };

        static byte Next(byte at) => at < Pages ? (byte)(at + 1) : (byte)0;

        static CollectorAt NextOf(byte at) => at < Pages ? CollectorAt.Drain : CollectorAt.Thaw;
    }

    private ModelStep<State> Read(State state)
    {
        Collector collector = state.Collector;
        Page page = state[collector.Page];
        if (state.IsForeign && page.Has(Bits.Frozen))
        {
            CollectorAt first = flaw == FreezeFlaw.AsksBeforeReading
                ? CollectorAt.AskFirst : CollectorAt.ReadForeign;
            return Go($"page {collector.Page} is in its place", first, state, collector.Page);
        }

        byte source = page.Has(Bits.Frozen) ? NobodyHolds : page.Has(Bits.Copied) ? page.Slot : (byte)0xFE;
        State next = flaw == FreezeFlaw.ReturnsSlotBeforeReading
            ? state with { Collector = collector with { Source = source } }
            : Deliver(state, collector.Page, source);
        return Go($"page {collector.Page} is read", CollectorAt.LetGo, next, collector.Page);
    }

    /// <summary>Read, then asked whether it was protected until now. What is lost ends the drain.</summary>
    private ModelStep<State> ReadForeign(State state)
    {
        Collector collector = state.Collector;
        byte at = collector.Page;
        Page page = state[at];
        bool isLast = collector.At == CollectorAt.Ask || flaw == FreezeFlaw.AsksBeforeReading;
        if (collector.At == CollectorAt.ReadForeign)
        {
            State read = state with { Collector = collector with { Source = page.Content } };
            return isLast ? Take(read) : Go($"page {at} is read", CollectorAt.Ask, read, at);
        }

        State asked = page.Has(Bits.Protected) ? state : state with { Gone = true };
        return collector.At == CollectorAt.AskFirst
            ? Go($"page {at} is asked about", CollectorAt.ReadForeign, asked, at)
            : Take(asked);

        ModelStep<State> Take(State taken)
        {
            bool wrong = taken.Collector.Source != page.Truth && !taken.Gone;
            return Go($"page {at} is taken", CollectorAt.LetGo, taken with
            {
                Collector = taken.Collector with { Wrong = collector.Wrong || wrong, Source = 0 },
            }, at);
        }
    }

    private static State Deliver(State state, byte at, byte source)
    {
        byte content = source switch
        {
            NobodyHolds => state[at].Content,
            0xFE => 0,
            _ => state.Slots.Content(source),
        };
        bool strayed = state.Stray.IsStray && state.Stray.Page == at;
        bool wrong = content != state[at].Truth && !strayed && !state.Gone;
        return state with
        {
            Collector =
            state.Collector with { Wrong = state.Collector.Wrong || wrong, Source = 0 }
        };
    }

    private State LetGo(State state, byte at)
    {
        Page page = state[at];
        State next = state.With(at, page.Without(Bits.Frozen | Bits.Copied));
        if (!page.Has(Bits.Copied)) return next;
        bool withSpan = page.Has(Bits.CopiedWithSpan);
        Page other = state[1 - at];
        bool shared = other.Has(Bits.Copied)
            && (other.Has(Bits.CopiedWithSpan) || flaw == FreezeFlaw.TakesEveryCopyForItsOwn);
        if (withSpan && shared) return next;
        return next with { Slots = state.Slots.Put(withSpan ? (byte)(page.Slot - at) : page.Slot, withSpan) };
    }

    private static ModelStep<State> Thaw(State state)
    {
        State next = state;
        for (int page = 0; page < Pages; page++)
            next = next.With(page, state[page].Without(Bits.Changed) with { Truth = 0, Slot = 0 });
        byte left = (byte)(state.Collector.Captures - 1);
        return new("settled", next with
        {
            Collector = state.Collector with { At = CollectorAt.Outside, Page = 0, Captures = left },
        });
    }
}
