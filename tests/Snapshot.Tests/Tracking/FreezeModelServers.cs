using Snapshot.Tests.Memory.Locks;
using static Snapshot.Tests.Tracking.FreezeModel;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// What the application and the servers of the model do: open.c, and the waiting of slots.c.
/// </summary>
/// <param name="flaw">What is wrong on purpose.</param>
/// <param name="span">A write opens the span, and in need a page; or always a page.</param>
/// <param name="timeOuts">Waits for slots may end by themselves.</param>
/// <param name="drainStops">They do, since the drain never comes.</param>
internal sealed class FreezeModelServers(FreezeFlaw flaw, bool span, bool timeOuts, bool drainStops)
{
    internal IEnumerable<ModelStep<State>> Steps(State state)
    {
        for (int index = 0; index < State.Writers; index++)
        {
            if (Write(state, index) is { } step) yield return step;
        }

        if (Discard(state) is { } discard) yield return discard;
        for (int index = 0; index < State.Servers; index++)
        {
            foreach (ModelStep<State> step in Serve(state, index)) yield return step;
        }
    }

    private static ModelStep<State>? Write(State state, int index)
    {
        Writer writer = state.WriterOf(index);
        bool mayBegin = writer.At == WriterAt.Outside && writer.Budget > 0 && (writer.IsStray || !state.Stop);
        if (!mayBegin && writer.At != WriterAt.Retries) return null;
        Page page = state[writer.Page];
        return page.Has(Bits.Protected)
            ? new($"writer {index} faults", state.With(index, writer with { At = WriterAt.Queued }))
            : new($"writer {index} writes page {writer.Page}", state.With(writer.Page, page.Store()).With(
                index, writer with { At = WriterAt.Outside, Budget = (byte)(writer.Budget - 1) }));
    }

    private ModelStep<State>? Discard(State state)
    {
        const int page = 1;
        Discarder discarder = state.Discarder;
        switch (discarder.At)
        {
            case DiscarderAt.Outside when discarder.Budget > 0 && !state.Stop && state.IsForeign:
                return new("page 1 goes, and nobody was asked", state.With(page, Go(state[page])) with
                { Discarder = discarder with { Budget = (byte)(discarder.Budget - 1) } });
            case DiscarderAt.Outside when discarder.Budget > 0 && !state.Stop:
                DiscarderAt next = flaw == FreezeFlaw.DiscardsWithoutSecuring
                    ? DiscarderAt.Discarding
                    : DiscarderAt.Securing;
                State begun = state with { Discarder = new(next, (byte)(discarder.Budget - 1)) };
                return new("a discard begins", next == DiscarderAt.Securing
                    ? begun with { Securer = Begin(state, Purpose.Secure, page) }
                    : begun);
            case DiscarderAt.Securing when state.Securer.At == ServerAt.Idle:
                return new(
                    "it is secured",
                    state with { Discarder = discarder with { At = DiscarderAt.Discarding } });
            case DiscarderAt.Discarding:
                return new("page 1 is discarded", state.With(page, state[page].Discard()) with
                { Discarder = discarder with { At = DiscarderAt.Noting } });
            case DiscarderAt.Noting:
                return new(
                    "the discard is noted",
                    state.With(page, state[page].With(Bits.Dropped | Bits.Unreported)) with
                    { Discarder = discarder with { At = DiscarderAt.Outside } });
            default:
                return null;
        }
    }

    /// <summary>What had no memory at the last collect is zero in the image, as it is again.</summary>
    private static Page Go(Page page) => (page.Bits & (Bits.Armed | Bits.Written)) != 0
        ? page.Discard().With(Bits.Unreported)
        : page.Discard().Without(Bits.Unreported);

    private Server Begin(State state, Purpose purpose, byte page) =>
        new(ServerAt.Lock, purpose, page, span, 0, state.Changes, NoSlot, false);

    private IEnumerable<ModelStep<State>> Serve(State state, int index)
    {
        Server server = state.ServerOf(index);
        switch (server.At)
        {
            case ServerAt.Idle when index < State.Servers - 1:
                foreach (ModelStep<State> step in TakeFault(state, index)) yield return step;
                if (span && index == 0 && state.Aheads > 0)
                {
                    yield return new(
                        "server 0 goes ahead", state.With(index, Begin(state, Purpose.Ahead, 0)) with
                        { Aheads = (byte)(state.Aheads - 1) });
                }

                break;
            case ServerAt.Lock or ServerAt.NeedLock when state.Lock == NobodyHolds:
                ServerAt locked = server.At == ServerAt.Lock ? ServerAt.Look : ServerAt.NeedLook;
                yield return Move("locks", server with { At = locked }, state with { Lock = (byte)index });
                break;
            case ServerAt.Look:
                yield return Look(state, index);
                break;
            case ServerAt.Asleep when timeOuts || drainStops:
                yield return Move("waits no longer", server with { At = ServerAt.Awake }, state) with
                { Fair = drainStops };
                break;
            case ServerAt.Unlocked or ServerAt.Compare or ServerAt.Awake or ServerAt.Reload:
                yield return Wait(state, index);
                break;
            case ServerAt.NeedLook:
                yield return LookInNeed(state, index);
                break;
            case ServerAt.Copy:
                Server copied = Copied(server);
                yield return Move(
                    "copies", state.IsForeign ? server with { At = ServerAt.Ask } : copied,
                    Copy(state, server));
                break;
            case ServerAt.Ask:
                yield return Move("asks what it copied", Copied(server), Ask(state, server));
                break;
            case ServerAt.SetWritten or ServerAt.ClearArmed or ServerAt.Unprotect:
                yield return Open(state, index);
                break;
            case ServerAt.Unlock:
                yield return Move("unlocks", default, state with { Lock = NobodyHolds });
                break;
        }

        ModelStep<State> Move(string name, Server next, State then) =>
            new($"server {index} {name}", then.With(index, next));
    }

    private IEnumerable<ModelStep<State>> TakeFault(State state, int index)
    {
        for (int number = 0; number < State.Writers; number++)
        {
            Writer writer = state.WriterOf(number);
            if (writer.At != WriterAt.Queued) continue;
            State taken = state.With(number, writer with { At = WriterAt.Taken });
            yield return new(
                $"server {index} takes the fault of writer {number}",
                taken.With(index, Begin(state, Purpose.Serve, writer.Page)));
        }
    }

    private ModelStep<State> Look(State state, int index)
    {
        Server server = state.ServerOf(index);
        bool frozen = IsFrozen(state, server);
        Server next = server with { At = FirstOfOpening, Opening = server.First };
        if (server.Purpose == Purpose.Ahead)
        {
            bool isClosed = !state.Held && state.A.Has(Bits.Armed) && state.B.Has(Bits.Armed);
            if (!isClosed)
                return new(
                    $"server {index} leaves it", state.With(index, server with { At = ServerAt.Unlock }));
            if (flaw == FreezeFlaw.OpensAheadWithoutCopying) frozen = false;
        }
        else if (server.Purpose == Purpose.Secure)
        {
            next = next with { At = ServerAt.Unlock };
        }

        if (!frozen) return new($"server {index} finds nothing frozen", state.With(index, next));
        (Slots slots, byte slot) = state.Slots.Take(server.Span);
        if (slot != NoSlot)
        {
            ServerAt then = flaw == FreezeFlaw.CopiesAfterUnprotecting && server.Purpose != Purpose.Secure
                ? FirstOfOpening
                : ServerAt.Copy;
            return new($"server {index} takes slot {slot}", state.With(
                index, server with { At = then, Slot = slot, Opening = server.First }) with
            { Slots = slots });
        }

        return server.Purpose == Purpose.Ahead
            ? new($"server {index} leaves it", state.With(index, server with { At = ServerAt.Unlock }))
            : new(
                $"server {index} finds no slot",
                state.With(index, server with { At = ServerAt.Unlocked }) with
                { Lock = NobodyHolds });
    }

    private ModelStep<State> Wait(State state, int index)
    {
        Server server = state.ServerOf(index);
        return server.At switch
        {
            ServerAt.Unlocked => new($"server {index} will wait", state.With(
                index, server with { At = ServerAt.Compare }) with
            { Waiting = (byte)(state.Waiting + 1) }),
            ServerAt.Compare => new($"server {index} sleeps or not", state.With(index, server with
            {
                At = state.Changes == server.Seen || flaw == FreezeFlaw.SleepsWithoutComparing
                    ? ServerAt.Asleep
                    : ServerAt.Awake,
            })),
            ServerAt.Awake => new($"server {index} waits no more", state.With(
                index, server with { At = ServerAt.Reload, Moved = state.Changes != server.Seen }) with
            { Waiting = (byte)(state.Waiting - 1) }),
            _ => new($"server {index} looks again", state.With(index, server with
            {
                At = server.Moved ? ServerAt.Lock : ServerAt.NeedLock,
                Seen = state.Changes,
                Span = server.Span && server.Moved,
            })),
        };
    }

    private ModelStep<State> LookInNeed(State state, int index)
    {
        Server server = state.ServerOf(index);
        ServerAt opened = server.Purpose == Purpose.Secure ? ServerAt.Unlock : FirstOfOpening;
        Server next = server with { At = opened, Opening = server.First };
        if (!IsFrozen(state, server))
            return new($"server {index} finds nothing frozen", state.With(index, next));
        (Slots slots, byte slot) = state.Slots.TakeNeeded();
        return slot == NoSlot
            ? new($"server {index} finds no slot", state.With(index, server with { At = ServerAt.Lock }) with
            { Lock = NobodyHolds })
            : new($"server {index} takes needed slot {slot}", state.With(
                index, server with { At = ServerAt.Copy, Slot = slot }) with
            { Slots = slots });
    }

    private ServerAt FirstOfOpening =>
        flaw == FreezeFlaw.NotesWriteAfterUnprotecting ? ServerAt.Unprotect : ServerAt.SetWritten;

    /// <summary>Page after page: written, not armed; then page after page unprotected.</summary>
    private ModelStep<State> Open(State state, int index)
    {
        Server server = state.ServerOf(index);
        byte at = server.Opening;
        Page page = state[at];
        bool isLast = at + 1 == server.End;
        bool notesLast = flaw == FreezeFlaw.NotesWriteAfterUnprotecting;
        Server again = server with { Opening = (byte)(at + 1) };
        Server first = server with { Opening = server.First };
        switch (server.At)
        {
            case ServerAt.SetWritten:
                bool wasArmed = page.Has(Bits.Armed) || flaw == FreezeFlaw.NotesPagesThatWereNotArmed;
                return new($"server {index} notes page {at}", state.With(
                    at, wasArmed ? page.With(Bits.Written) : page).With(
                    index, server with { At = ServerAt.ClearArmed }));
            case ServerAt.ClearArmed:
                Server noted = notesLast ? Done(server) : first with { At = ServerAt.Unprotect };
                return new($"server {index} disarms page {at}", state.With(at, page.Without(Bits.Armed)).With(
                    index, isLast ? noted : again with { At = ServerAt.SetWritten }));
            default:
                Server opened = notesLast ? first with { At = ServerAt.SetWritten } : Done(server);
                return new($"server {index} unprotects page {at}", state.Unprotect(at).With(
                    index, isLast ? opened : again));
        }
    }

    private static Server Done(Server server) =>
        server with { At = server.Slot == NoSlot ? ServerAt.Unlock : ServerAt.Copy };

    private Server Copied(Server server) => server with
    {
        At = server.Purpose == Purpose.Secure || flaw == FreezeFlaw.CopiesAfterUnprotecting
            ? ServerAt.Unlock
            : FirstOfOpening,
        Opening = server.First,
        Slot = NoSlot,
    };

    /// <summary>What it copied and is not protected any more may be what came in its place.</summary>
    private State Ask(State state, Server server)
    {
        for (int at = server.First; at < server.End; at++)
        {
            Page page = state[at];
            bool isOfThisCopy = page.Has(Bits.Copied) && page.Slot == server.Slot + at - server.First;
            if (isOfThisCopy && !page.Has(Bits.Protected) && flaw != FreezeFlaw.CopiesWithoutAsking)
                state = state with { Gone = true };
        }

        return state;
    }

    private static bool IsFrozen(State state, Server server)
    {
        for (int page = server.First; page < server.End; page++)
        {
            if (state[page].Has(Bits.Frozen)) return true;
        }

        return false;
    }

    private static State Copy(State state, Server server)
    {
        for (int at = server.First; at < server.End; at++)
        {
            Page page = state[at];
            if (!page.Has(Bits.Frozen)) continue;
            byte slot = (byte)(server.Slot + at - server.First);
            Page copied =
                page.Without(Bits.Frozen | Bits.CopiedWithSpan).With(Bits.Copied) with { Slot = slot };
            if (server.Span) copied = copied.With(Bits.CopiedWithSpan);
            state = state.With(at, copied) with { Slots = state.Slots.Fill(slot, page.Content) };
        }

        return state;
    }
}
