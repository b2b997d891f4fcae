using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaSemaphore between fibers and threads as a model, in the steps of <see cref="FiberMutexModelTests"/>:
/// three takers of one each, of whom the first are fibers, and a releaser.
/// </summary>
public sealed class FiberSemaphoreModelTests(ITestOutputHelper output)
{
    private const byte Contended = 0x80;
    private const int Takers = 3;
    private const int Releaser = 3;

    private enum At : byte
    {
        Fast,
        Look,
        Take,
        Mark,
        Wait,
        Waiting,
        Moving,
        Woken,
        PassOn,
        Deliver,
        Done,
        Add,
        Hold,
        Raise,
        Choose,
    }

    /// <summary>
    /// The ways in which such a hand-over is commonly wrong, to show that the exploration would find them.
    /// </summary>
    public enum Flaw
    {
        None,
        GivesWithoutHolding,
        DoesNotPassOn,
        RestartForgetsGrants,
        GivesAndCounts,
    }

    /// <param name="At">What it does next.</param>
    /// <param name="Seen">What it saw in the word.</param>
    /// <param name="HasSlept">Whether it waited since it came.</param>
    /// <param name="Vain">How often it was woken and found nothing left.</param>
    /// <param name="IsTold">Whether it was woken, and has not looked.</param>
    /// <param name="Granted">Whether a unit was given to it.</param>
    /// <param name="Told">Whom it takes out of the queue.</param>
    /// <param name="Rest">How many it still wakes or adds.</param>
    private readonly record struct Actor(
        At At, byte Seen, bool HasSlept, byte Vain, bool IsTold, bool Granted, ModelQueue Told, byte Rest)
    {
        internal bool InWait => At is At.Waiting or At.Moving or At.Woken;
    }

    private readonly record struct State(
        byte Word, byte Held, ModelQueue Queue, byte Released, byte Restarts, Actor A, Actor B, Actor C,
        Actor D)
    {
        internal Actor this[int index] => index switch { 0 => A, 1 => B, 2 => C, _ => D };

        internal State With(int index, Actor actor) => index switch
        {
            0 => this with { A = actor },
            1 => this with { B = actor },
            2 => this with { C = actor },
            _ => this with { D = actor },
        };
    }

    [Theory]
    [InlineData(3, new[] { 1, 1, 1 })]
    [InlineData(3, new[] { 2, 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(1, new[] { 2, 1 })]
    public void Every_unit_reaches_a_taker_and_a_fiber_is_woken_in_vain_once_at_most(
        int fibers, int[] portions)
    {
        (int states, string? fault) = Explore(fibers, portions, Flaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.GivesWithoutHolding)]
    [InlineData(Flaw.DoesNotPassOn)]
    [InlineData(Flaw.RestartForgetsGrants)]
    [InlineData(Flaw.GivesAndCounts)]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw)
    {
        string? fault = Explore(3, [1, 1, 1], flaw).Fault ?? Explore(3, [2, 1], flaw).Fault;
        Assert.NotNull(fault);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(int fibers, int[] portions, Flaw flaw)
    {
        State initial = new() { Restarts = 1, D = new Actor { At = At.Add } };
        return StateExplorer.Explore(
            initial,
            state => Steps(state, fibers, portions, flaw),
            state => Violation(state, portions, fibers),
            state =>
                state is { A.At: At.Done, B.At: At.Done, C.At: At.Done } && HasReleasedAll(state, portions));
    }

    private static bool HasReleasedAll(State state, int[] portions) =>
        state.D.At == At.Add && state.Released == portions.Length;

    private static string? Violation(State state, int[] portions, int fibers)
    {
        int taken = 0;
        for (int index = 0; index < Takers; index++)
        {
            Actor taker = state[index];
            if (taker.Vain > 1) return $"taker {index} was woken in vain twice";
            if (taker.Granted || taker.At is At.PassOn or At.Deliver or At.Done) taken++;
        }

        bool isPassedOverThere = state.Queue.Items.Any(fiber => fiber < fibers && state[fiber].HasSlept);
        if (isPassedOverThere && state.Held == 0 && (state.Word & ~Contended) != 0)
            return "a fiber that was passed over waits beside a unit";
        int released =
            portions.Take(state.Released).Sum() - (state.D.At is At.Hold or At.Raise ? state.D.Rest : 0);
        return (state.Word & ~Contended) + taken == released ? null : "a unit was lost or made";
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, int fibers, int[] portions, Flaw flaw)
    {
        for (int index = 0; index < Takers; index++)
        {
            foreach (ModelStep<State> step in TakerSteps(state, index, fibers, flaw)) yield return step;
        }

        foreach (ModelStep<State> step in ReleaserSteps(state, fibers, portions, flaw)) yield return step;
        bool areStopped =
            Enumerable.Range(0, Takers).All(index => state[index].InWait || state[index].At == At.Done);
        if (state.Restarts == 0 || state.D.At != At.Add || !areStopped) yield break;
        State next = state with { Restarts = (byte)(state.Restarts - 1), Queue = default };
        for (int index = 0; index < Takers; index++)
        {
            Actor taker = state[index];
            if (!taker.InWait) continue;
            bool granted = taker.Granted && flaw != Flaw.RestartForgetsGrants;
            next = next.With(index, index < fibers
                ? taker with { At = At.Woken, IsTold = false, Vain = 0, Granted = granted }
                : default);
        }

        yield return new("capture and restart", next, Fair: false);
    }

    private static IEnumerable<ModelStep<State>> TakerSteps(State state, int index, int fibers, Flaw flaw)
    {
        Actor taker = state[index];
        byte word = state.Word;
        bool isFiber = index < fibers;
        bool matches = word == taker.Seen;
        int count = word & ~Contended;
        Actor done = new() { At = At.Done };
        switch (taker.At)
        {
            case At.Fast:
                yield return count > 0
                    ? Move("takes at once", done, (byte)(word - 1))
                    : Move("finds none", taker with { At = At.Look });
                break;
            case At.Look when taker.Granted:
                yield return Move("finds that one was given", done);
                break;
            case At.Look when count > 0:
                yield return Move("sees some", taker with { At = At.Take, Seen = word });
                break;
            case At.Look:
                yield return Move(
                    "sees none", taker with { At = word == 0 ? At.Mark : At.Wait, Seen = word });
                break;
            case At.Take when matches:
                byte rest = (byte)((word - 1) | (taker.HasSlept ? Contended : 0));
                bool owes = taker.HasSlept && count > 1 && flaw != Flaw.DoesNotPassOn;
                yield return Move("takes", owes ? new Actor { At = At.PassOn } : done, rest);
                break;
            case At.Mark when matches:
                yield return Move("marks", taker with { At = At.Wait, Seen = Contended }, Contended);
                break;
            case At.Take or At.Mark:
                yield return Move("fails", taker with { At = At.Look });
                break;
            case At.Wait when isFiber && state.Held != 0:
                break;
            case At.Wait when isFiber && matches:
                byte vain = (byte)(taker.Vain + (taker.IsTold ? 1 : 0));
                Actor parked = taker with { At = At.Waiting, Vain = vain, IsTold = false };
                yield return new(
                    $"{index} parks", state.With(index, parked) with { Queue = state.Queue.Add(index) });
                break;
            case At.Wait:
                yield return Move("sleeps or not", taker with { At = matches ? At.Waiting : At.Woken });
                break;
            case At.Woken:
                yield return Move("looks again", taker with { At = At.Look, HasSlept = true });
                break;
            case At.PassOn when state.Held == 0:
                yield return new($"{index} takes one out", TakeOut(state, index, 1));
                break;
            case At.Deliver:
                foreach (State woken in Deliver(state, index, fibers, done))
                    yield return new($"{index} passes on", woken);
                break;
        }

        ModelStep<State> Move(string name, Actor next, byte? newWord = null) =>
            new($"{index} {name}", (state with { Word = newWord ?? word }).With(index, next));
    }

    private static IEnumerable<ModelStep<State>> ReleaserSteps(
        State state, int fibers, int[] portions, Flaw flaw)
    {
        Actor releaser = state.D;
        Actor idle = new() { At = At.Add };
        bool holds = flaw != Flaw.GivesWithoutHolding;
        switch (releaser.At)
        {
            case At.Add when state.Released < portions.Length:
                byte portion = (byte)portions[state.Released];
                State begun = state with { Released = (byte)(state.Released + 1) };
                yield return (state.Word & Contended) == 0
                    ? new("the releaser adds", begun with { Word = (byte)(state.Word + portion) })
                    : new("it sees the hint", begun.With(
                        Releaser, releaser with { At = At.Hold, Rest = portion }));
                break;
            case At.Hold when state.Held == 0:
                int[] heirs = [.. state.Queue.Items.Where(fiber => state[fiber].HasSlept).Take(
                    releaser.Rest)];
                State held =
                    state with { Held = holds ? (byte)1 : (byte)0, Queue = state.Queue.Without(heirs) };
                foreach (int heir in heirs)
                    held = held.With(heir, held[heir] with { At = At.Moving, Granted = true });
                int given = flaw == Flaw.GivesAndCounts ? 0 : heirs.Length;
                yield return new("it gives to those passed over", held.With(Releaser, releaser with
                {
                    At = At.Raise,
                    Rest = (byte)(releaser.Rest - given),
                    Told = new ModelQueue().Add(heirs),
                }));
                break;
            case At.Raise when releaser.Rest == 0:
                yield return new("it gave all", state.With(Releaser, releaser with { At = At.Deliver }) with
                {
                    Held = 0,
                });
                break;
            case At.Raise:
                byte sum = (byte)((state.Word & ~Contended) + releaser.Rest);
                yield return new(
                    "it raises the count", state.With(Releaser, releaser with { At = At.Choose }) with
                    {
                        Word = sum,
                    });
                break;
            case At.Choose when holds || state.Held == 0:
                yield return new("it chooses", TakeOut(state, Releaser, releaser.Rest) with { Held = 0 });
                break;
            case At.Deliver:
                foreach (State woken in Deliver(state, Releaser, fibers, idle))
                    yield return new("it wakes", woken);
                break;
        }
    }

    /// <summary>Takes as many out of the queue as were not passed over.</summary>
    private static State TakeOut(State state, int by, int count)
    {
        int[] fresh = [.. state.Queue.Items.Where(fiber => !state[fiber].HasSlept).Take(count)];
        State next = state with { Queue = state.Queue.Without(fresh) };
        foreach (int fiber in fresh) next = next.With(fiber, next[fiber] with { At = At.Moving });
        Actor actor = state[by];
        return next.With(
            by, actor with { At = At.Deliver, Told = actor.Told.Add(fresh), Rest = (byte)count });
    }

    /// <summary>Sends them, and wakes as many threads: whichever.</summary>
    private static IEnumerable<State> Deliver(State state, int by, int fibers, Actor then)
    {
        State sent = state;
        foreach (int told in state[by].Told.Items)
            sent = sent.With(told, state[told] with { At = At.Woken, IsTold = !state[told].Granted });
        int[] asleep = [.. Enumerable.Range(fibers, Takers - fibers).Where(
            thread => state[thread].At == At.Waiting)];
        sent = sent.With(by, then);
        if (state[by].Rest == 0 || asleep.Length == 0) return [sent];
        return state[by].Rest >= asleep.Length
            ? [asleep.Aggregate(sent, Wake)]
            : asleep.Select(thread => Wake(sent, thread));

        static State Wake(State state, int thread) =>
            state.With(thread, state[thread] with { At = At.Woken });
    }
}
