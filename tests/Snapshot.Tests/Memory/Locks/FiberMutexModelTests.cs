using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaMutex between fibers and threads as a model: one step per access to the word and per change of the
/// queue of waiting fibers (what is done under the bucket's lock keeps others from parking, not from changing
/// the word). Two fibers, and a third owner that is a fiber or a thread. A capture and restart may happen
/// whenever every owner is outside, inside (at an await), or waits.
/// </summary>
public sealed class FiberMutexModelTests(ITestOutputHelper output)
{
    private const byte Contended = 0x80;
    private const int Owners = 3;
    private const byte NobodyHolds = 0;

    private enum At : byte
    {
        Outside,
        FastTake,
        Look,
        Take,
        Mark,
        Wait,
        Waiting,
        Moving,
        Woken,
        Inside,
        Hold,
        Store,
        Choose,
        Deliver,
        WakeThread,
    }

    /// <summary>
    /// The ways in which such a hand-over is commonly wrong, to show that the exploration would find them.
    /// </summary>
    public enum Flaw
    {
        None,
        ChoosesWithoutHolding,
        OnlyTheFirstIsAnHeir,
        HandsOverWithoutTheHint,
        HeirDoesNotLookForItsId,
        WokenFiberForgetsTheOthers,
    }

    /// <param name="At">What it does next.</param>
    /// <param name="Seen">What it saw in the word.</param>
    /// <param name="HasSlept">Whether it waited since it came.</param>
    /// <param name="Told">Whom it takes out of the queue while it leaves.</param>
    /// <param name="Heir">Who gets the mutex: the owner's number from 1, 0 nobody.</param>
    /// <param name="Vain">How often it was woken and found the mutex taken.</param>
    /// <param name="IsTold">Whether it was woken, and has not looked.</param>
    /// <param name="Rounds">How often it will still come.</param>
    private readonly record struct Owner(
        At At, byte Seen, bool HasSlept, byte Told, byte Heir, byte Vain, bool IsTold, byte Rounds)
    {
        internal bool InWait => At is At.Waiting or At.Moving or At.Woken;

        internal bool Stopped => InWait || At is At.Outside or At.Inside;

        internal bool IsLeaving => At is At.Hold or At.Store;
    }

    private readonly record struct State(
        byte Word, byte Held, ModelQueue Queue, byte Restarts, Owner A, Owner B, Owner C)
    {
        internal Owner this[int index] => index switch { 0 => A, 1 => B, _ => C };

        internal State With(int index, Owner owner) => index switch
        {
            0 => this with { A = owner },
            1 => this with { B = owner },
            _ => this with { C = owner },
        };
    }

    [Theory]
    [InlineData(3, "112", 1)]
    [InlineData(2, "112", 1)]
    [InlineData(2, "211", 1)]
    [InlineData(3, "111", 2)]
    public void Excludes_loses_no_wake_and_wakes_a_fiber_in_vain_once_at_most(
        int fibers, string rounds, int restarts)
    {
        (int states, string? fault) = Explore(fibers, rounds, restarts, Flaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.ChoosesWithoutHolding)]
    [InlineData(Flaw.OnlyTheFirstIsAnHeir)]
    [InlineData(Flaw.HandsOverWithoutTheHint)]
    [InlineData(Flaw.HeirDoesNotLookForItsId)]
    [InlineData(Flaw.WokenFiberForgetsTheOthers)]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw)
    {
        (_, string? fault) = Explore(fibers: 3, "112", restarts: 1, flaw);
        Assert.NotNull(fault);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(int fibers, string rounds, int restarts, Flaw flaw)
    {
        State initial = new() { Restarts = (byte)restarts };
        for (int index = 0; index < Owners; index++)
            initial = initial.With(index, new Owner { Rounds = (byte)(rounds[index] - '0') });
        return StateExplorer.Explore(
            initial,
            state => Steps(state, fibers, flaw),
            Violation,
            state => Enumerable.Range(0, Owners).All(index => state[index] is { At: At.Outside, Rounds: 0 }));
    }

    private static string? Violation(State state)
    {
        int inside = 0;
        for (int index = 0; index < Owners; index++)
        {
            Owner owner = state[index];
            if (owner.At == At.Inside || owner.IsLeaving) inside++;
            bool owns = (state.Word & ~Contended) == index + 1;
            if ((owner.At == At.Inside || owner.IsLeaving) != owns &&
                !(owns && (owner.InWait || owner.At == At.Look)))
                return $"the word and owner {index} disagree";
            if (owner.Vain > 1) return $"owner {index} was woken in vain twice";
        }

        bool isFree = state.Held == NobodyHolds && (state.Word & ~Contended) == 0;
        if (isFree && state.Queue.Items.Any(fiber => state[fiber].HasSlept))
            return "a fiber that was passed over waits beside a free mutex";
        return inside > 1 ? "two are inside" : null;
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, int fibers, Flaw flaw)
    {
        for (int index = 0; index < Owners; index++)
        {
            IEnumerable<ModelStep<State>> steps = state[index].At switch
            {
                At.Inside or At.Hold or At.Store or At.Choose or At.Deliver or At.WakeThread =>
                    LeaveSteps(state, index, fibers, flaw),
                _ => EnterSteps(state, index, isFiber: index < fibers, flaw),
            };
            foreach (ModelStep<State> step in steps) yield return step;
        }

        if (state.Restarts == 0 || !state.A.Stopped || !state.B.Stopped || !state.C.Stopped) yield break;
        State next = state with { Restarts = (byte)(state.Restarts - 1), Queue = default };
        for (int index = 0; index < Owners; index++)
        {
            Owner owner = state[index];
            if (!owner.InWait) continue;
            next = index < fibers
                ? next.With(index, owner with { At = At.Woken, IsTold = false, Vain = 0 })
                : next.With(index, new Owner { Rounds = owner.Rounds });
        }

        yield return new("capture and restart", next, Fair: false);
    }

    private static IEnumerable<ModelStep<State>> EnterSteps(State state, int index, bool isFiber, Flaw flaw)
    {
        Owner owner = state[index];
        byte word = state.Word;
        byte me = (byte)(index + 1);
        bool matches = word == owner.Seen;
        switch (owner.At)
        {
            case At.Outside when owner.Rounds > 0:
                yield return Move("comes", owner with { At = At.FastTake });
                break;
            case At.FastTake:
                yield return word == 0
                    ? Move("takes at once", Entered(owner), me)
                    : Move("finds it taken", owner with { At = At.Look });
                break;
            case At.Look when isFiber && owner.HasSlept && (word & ~Contended) == me
                && flaw != Flaw.HeirDoesNotLookForItsId:
                yield return Move("finds that it is its own", Entered(owner));
                break;
            case At.Look when (word & ~Contended) == 0:
                yield return Move("sees it free", owner with { At = At.Take, Seen = word });
                break;
            case At.Look when (word & Contended) == 0:
                yield return Move("sees it held", owner with { At = At.Mark, Seen = word });
                break;
            case At.Look:
                yield return Move("sees it contended", owner with { At = At.Wait, Seen = word });
                break;
            case At.Take when matches:
                byte keep = owner.HasSlept && flaw != Flaw.WokenFiberForgetsTheOthers ? Contended : (byte)0;
                yield return Move("takes", Entered(owner), (byte)(me | word | keep));
                break;
            case At.Mark when matches:
                byte marked = (byte)(word | Contended);
                yield return Move("marks", owner with { At = At.Wait, Seen = marked }, marked);
                break;
            case At.Take or At.Mark:
                yield return Move("fails", owner with { At = At.Look });
                break;
            case At.Wait when isFiber && state.Held != NobodyHolds && state.Held != me:
                break;
            case At.Wait when isFiber && matches:
                byte vain = (byte)(owner.Vain + (owner.IsTold ? 1 : 0));
                Owner parked = owner with { At = At.Waiting, Vain = vain, IsTold = false };
                yield return new(
                    $"{me} parks", state.With(index, parked) with { Queue = state.Queue.Add(index) });
                break;
            case At.Wait:
                yield return Move("sleeps or not", owner with { At = matches ? At.Waiting : At.Woken });
                break;
            case At.Woken:
                yield return Move("looks again", owner with { At = At.Look, HasSlept = true, Seen = 0 });
                break;
        }

        ModelStep<State> Move(string name, Owner next, byte? newWord = null) =>
            new($"{me} {name}", (state with { Word = newWord ?? word }).With(index, next));

        static Owner Entered(Owner owner) => new() { At = At.Inside, Rounds = owner.Rounds };
    }

    private static IEnumerable<ModelStep<State>> LeaveSteps(State state, int index, int fibers, Flaw flaw)
    {
        Owner owner = state[index];
        byte me = (byte)(index + 1);
        Owner outside = new() { Rounds = (byte)(owner.Rounds - 1) };
        bool holds = flaw != Flaw.ChoosesWithoutHolding;
        switch (owner.At)
        {
            case At.Inside when state.Word == me:
                yield return new($"{me} leaves", state.With(index, outside) with { Word = 0 });
                break;
            case At.Inside:
                yield return new($"{me} begins to leave", state.With(index, owner with { At = At.Hold }));
                break;
            case At.Hold when state.Held == NobodyHolds:
                int? heir = Heir(state, flaw);
                State held = state with
                {
                    Held = holds ? me : NobodyHolds,
                    Queue = heir is { } number ? state.Queue.Without(number) : state.Queue,
                };
                Owner choosing = owner with { At = At.Store, Heir = (byte)(heir + 1 ?? 0) };
                held = held.With(index, choosing);
                if (heir is { } taken) held = held.With(taken, held[taken] with { At = At.Moving });
                yield return new($"{me} holds the queue", held);
                break;
            case At.Store:
                byte hint = flaw == Flaw.HandsOverWithoutTheHint ? (byte)0 : Contended;
                byte word = owner.Heir != 0 ? (byte)(owner.Heir | hint) : (byte)0;
                At then = owner.Heir != 0 ? At.Deliver : At.Choose;
                Owner storing = outside with { At = then, Told = owner.Heir, Rounds = owner.Rounds };
                State stored = state.With(index, storing) with { Word = word };
                yield return new(
                    $"{me} stores", owner.Heir != 0 ? stored with { Held = NobodyHolds } : stored);
                break;
            case At.Choose when holds || state.Held == NobodyHolds:
                State choosen = ChooseFresh(state, out byte told) with { Held = NobodyHolds };
                yield return new(
                    $"{me} chooses whom to wake",
                    choosen.With(index, owner with { At = At.Deliver, Told = told }));
                break;
            case At.Deliver:
                State sent = state;
                if (owner.Told > 0)
                {
                    int whom = owner.Told - 1;
                    bool isHeir = (state.Word & ~Contended) == owner.Told;
                    sent = state.With(whom, state[whom] with { At = At.Woken, IsTold = !isHeir });
                }

                bool wakes = owner.Told == 0 || (state.Word & ~Contended) != owner.Told;
                yield return new($"{me} delivers", sent.With(
                    index, wakes ? owner with { At = At.WakeThread, Told = 0 } : outside));
                break;
            case At.WakeThread:
                State woken = state.With(index, outside);
                for (int thread = fibers; thread < Owners; thread++)
                {
                    if (state[thread].At == At.Waiting)
                        woken = woken.With(thread, state[thread] with { At = At.Woken });
                }

                yield return new($"{me} wakes a thread", woken);
                break;
        }
    }

    private static int? Heir(State state, Flaw flaw)
    {
        IEnumerable<int> waiting = state.Queue.Items;
        if (flaw == Flaw.OnlyTheFirstIsAnHeir) waiting = waiting.Take(1);
        foreach (int fiber in waiting)
        {
            if (state[fiber].HasSlept) return fiber;
        }

        return null;
    }

    private static State ChooseFresh(State state, out byte told)
    {
        told = 0;
        foreach (int fiber in state.Queue.Items)
        {
            if (state[fiber].HasSlept) continue;
            told = (byte)(fiber + 1);
            return (state with { Queue = state.Queue.Without(fiber) })
                .With(fiber, state[fiber] with { At = At.Moving });
        }

        return state;
    }
}
