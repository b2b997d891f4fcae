using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaReaderWriterLock between fibers and threads as a model, in the steps of
/// <see cref="FiberMutexModelTests"/>. Who takes part: a letter each, 'r' and 'w' fibers that read and write,
/// 'R' and 'W' threads.
/// </summary>
public sealed class FiberReaderWriterModelTests(ITestOutputHelper output)
{
    private const byte ReaderMask = 0x1F;
    private const byte WriterWaiting = 0x20;
    private const byte WriterInside = 0x40;
    private const byte Contended = 0x80;
    private const int Owners = 3;

    private enum At : byte
    {
        Outside,
        Fast,
        Look,
        Take,
        Mark,
        Wait,
        Waiting,
        Moving,
        Woken,
        Inside,
        Leave,
        Hold,
        Store,
        Deliver,
        WakeThreads,
    }

    /// <summary>
    /// The ways in which such a hand-over is commonly wrong, to show that the exploration would find them.
    /// </summary>
    public enum Flaw
    {
        None,
        ChoosesWithoutHolding,
        OneReaderIsTheHeirOfMany,
        ForgetsHeirsBehindReaders,
        RestartForgetsGrants,
        WakesThoseThatWerePassedOver,
    }

    /// <param name="At">What it does next.</param>
    /// <param name="Seen">What it saw in the word.</param>
    /// <param name="HasSlept">Whether it waited since it came.</param>
    /// <param name="Yields">Whether it waits for a writer that waits.</param>
    /// <param name="Told">Whom it takes out of the queue while it leaves.</param>
    /// <param name="HasHeirs">Whether these get the lock.</param>
    /// <param name="Vain">How often it was woken and found the lock taken.</param>
    /// <param name="IsTold">Whether it was woken, and has not looked.</param>
    /// <param name="Granted">Whether the lock was given to it.</param>
    /// <param name="Rounds">How often it will still come.</param>
    private readonly record struct Owner(
        At At, byte Seen, bool HasSlept, bool Yields, ModelQueue Told, bool HasHeirs, byte Vain, bool IsTold,
        bool Granted, byte Rounds)
    {
        internal bool InWait => At is At.Waiting or At.Moving or At.Woken;

        internal bool Stopped => InWait || At is At.Outside or At.Inside;

        internal bool Holds => Granted || At is At.Inside or At.Leave;
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
    [InlineData("rrw", "112")]
    [InlineData("rww", "112")]
    [InlineData("rwR", "112")]
    [InlineData("rwW", "112")]
    [InlineData("rWR", "121")]
    public void Excludes_loses_no_wake_and_wakes_a_fiber_in_vain_once_at_most(string who, string rounds)
    {
        (int states, string? fault) = Explore(who, rounds, Flaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.ChoosesWithoutHolding, "rww")]
    [InlineData(Flaw.OneReaderIsTheHeirOfMany, "rrw")]
    [InlineData(Flaw.ForgetsHeirsBehindReaders, "rww")]
    [InlineData(Flaw.RestartForgetsGrants, "rww")]
    [InlineData(Flaw.WakesThoseThatWerePassedOver, "rww")]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw, string who)
    {
        (_, string? fault) = Explore(who, "112", flaw);
        Assert.NotNull(fault);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(string who, string rounds, Flaw flaw)
    {
        State initial = new() { Restarts = 1 };
        for (int index = 0; index < Owners; index++)
            initial = initial.With(index, new Owner { Rounds = (byte)(rounds[index] - '0') });
        return StateExplorer.Explore(
            initial,
            state => Steps(state, who, flaw),
            state => Violation(state, who),
            state => Enumerable.Range(0, Owners).All(index => state[index] is { At: At.Outside, Rounds: 0 }));
    }

    private static bool Writes(string who, int index) => who[index] is 'w' or 'W';

    private static bool IsFiber(string who, int index) => char.IsLower(who[index]);

    private static string? Violation(State state, string who)
    {
        int readers = 0;
        int writers = 0;
        for (int index = 0; index < Owners; index++)
        {
            Owner owner = state[index];
            if (owner.Vain > 1) return $"owner {index} was woken in vain twice";
            if (!owner.Holds) continue;
            if (Writes(who, index)) writers++;
            else readers++;
        }

        if (writers > 1 || (writers > 0 && readers > 0)) return $"{writers} write and {readers} read";
        bool isHandingOver = Enumerable.Range(0, Owners).Any(index => state[index].At is At.Hold or At.Store);
        if (isHandingOver) return null;
        bool mayBeRead = state.Held == 0 && (state.Word & WriterInside) == 0;
        if (mayBeRead && state.Queue.Items.Any(fiber => !Writes(who, fiber) && state[fiber].HasSlept))
            return "a fiber that reads and was passed over waits though it may read";
        if ((state.Word & ReaderMask) != readers) return "the word and the readers disagree";
        return ((state.Word & WriterInside) != 0) == (writers > 0)
            ? null : "the word and the writers disagree";
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, string who, Flaw flaw)
    {
        for (int index = 0; index < Owners; index++)
        {
            IEnumerable<ModelStep<State>> steps = state[index].At switch
            {
                At.Wait or At.Waiting or At.Woken => WaitSteps(state, index, who),
                At.Inside or At.Leave or At.Hold or At.Store or At.Deliver or At.WakeThreads =>
                    LeaveSteps(state, index, who, flaw),
                _ => EnterSteps(state, index, who),
            };
            foreach (ModelStep<State> step in steps) yield return step;
        }

        if (state.Restarts == 0 || !state.A.Stopped || !state.B.Stopped || !state.C.Stopped) yield break;
        State next = state with { Restarts = (byte)(state.Restarts - 1), Queue = default };
        for (int index = 0; index < Owners; index++)
        {
            Owner owner = state[index];
            if (!owner.InWait) continue;
            bool granted = owner.Granted && flaw != Flaw.RestartForgetsGrants;
            next = next.With(index, IsFiber(who, index)
                ? owner with { At = At.Woken, IsTold = false, Vain = 0, Granted = granted }
                : new Owner { Rounds = owner.Rounds });
        }

        yield return new("capture and restart", next, Fair: false);
    }

    private static IEnumerable<ModelStep<State>> EnterSteps(State state, int index, string who)
    {
        Owner owner = state[index];
        byte word = state.Word;
        bool writes = Writes(who, index);
        bool matches = word == owner.Seen;
        byte busy = writes ? (byte)(WriterInside | ReaderMask) : WriterInside;
        byte hints = writes ? (byte)(Contended | WriterWaiting) : Contended;
        Owner inside = new() { At = At.Inside, Rounds = owner.Rounds };
        byte entered = writes ? (byte)(word | WriterInside) : (byte)(word + 1);
        switch (owner.At)
        {
            case At.Outside when owner.Rounds > 0:
                yield return Move("comes", owner with { At = At.Fast });
                break;
            case At.Fast:
                bool atOnce = writes ? word == 0 : (word & (WriterInside | WriterWaiting)) == 0;
                yield return atOnce
                    ? Move("enters at once", inside, entered)
                    : Move("finds it taken", owner with { At = At.Look });
                break;
            case At.Look when owner.Granted:
                yield return Move("finds that it was given", inside);
                break;
            case At.Look:
                bool yields =
                    !writes && !owner.HasSlept && (word & WriterWaiting) != 0 && (word & ReaderMask) != 0;
                bool isFree = (word & busy) == 0 && !yields;
                Owner looked = owner with { Seen = word, Yields = yields };
                yield return isFree
                    ? Move("sees it free", looked with { At = At.Take })
                    : (word & hints) == hints
                        ? Move("sees it contended", looked with { At = At.Wait })
                        : Move("sees it taken", looked with { At = At.Mark });
                break;
            case At.Take when matches:
                yield return Move("enters", inside, entered);
                break;
            case At.Mark when matches:
                byte marked = (byte)(word | hints);
                yield return Move("marks", owner with { At = At.Wait, Seen = marked }, marked);
                break;
            case At.Take or At.Mark:
                yield return Move("fails", owner with { At = At.Look });
                break;
        }

        ModelStep<State> Move(string name, Owner next, byte? newWord = null) =>
            new($"{who[index]}{index} {name}", (state with { Word = newWord ?? word }).With(index, next));
    }

    private static IEnumerable<ModelStep<State>> WaitSteps(State state, int index, string who)
    {
        Owner owner = state[index];
        bool isFiber = IsFiber(who, index);
        bool matches = state.Word == owner.Seen;
        string me = $"{who[index]}{index}";
        switch (owner.At)
        {
            case At.Wait when isFiber && state.Held != 0:
                break;
            case At.Wait when isFiber && matches:
                byte vain = (byte)(owner.Vain + (owner.IsTold ? 1 : 0));
                Owner parked = owner with { At = At.Waiting, Vain = vain, IsTold = false };
                yield return new(
                    $"{me} parks", state.With(index, parked) with { Queue = state.Queue.Add(index) });
                break;
            case At.Wait:
                yield return new(
                    $"{me} sleeps or not",
                    state.With(index, owner with { At = matches ? At.Waiting : At.Woken }));
                break;
            case At.Waiting when owner.Yields && !(isFiber && state.Held != 0):
                State late = state with { Queue = state.Queue.Without(index) };
                yield return new(
                    $"{me} has let writers go first long enough",
                    late.With(index, owner with { At = At.Woken }), Fair: false);
                break;
            case At.Woken:
                // A thread lets writers go first until its time has passed, a fiber once.
                bool hasSlept = isFiber || owner.HasSlept || owner.Yields;
                yield return new(
                    $"{me} looks again",
                    state.With(
                        index, owner with { At = At.Look, HasSlept = hasSlept, Yields = false, Seen = 0 }));
                break;
        }
    }

    private static IEnumerable<ModelStep<State>> LeaveSteps(State state, int index, string who, Flaw flaw)
    {
        Owner owner = state[index];
        byte word = state.Word;
        string me = $"{who[index]}{index}";
        bool holds = flaw != Flaw.ChoosesWithoutHolding;
        Owner outside = new() { Rounds = (byte)(owner.Rounds - 1) };
        switch (owner.At)
        {
            case At.Inside:
                yield return new(
                    $"{me} begins to leave", state.With(index, owner with { At = At.Leave, Seen = word }));
                break;
            case At.Leave:
                bool isLast = Writes(who, index) || (word & ReaderMask) == 1;
                bool handsOver =
                    isLast && (Writes(who, index) ? word != WriterInside : (word & Contended) != 0);
                byte rest = handsOver
                    ? (byte)((word & ~ReaderMask) | WriterInside)
                    : isLast ? (byte)0 : (byte)(word - 1);
                Owner leaving = handsOver ? owner with { At = At.Hold, Seen = 0 } : outside;
                yield return new($"{me} leaves", state.With(index, leaving) with { Word = rest });
                break;
            case At.Hold when state.Held == 0:
                int[] heirs = Heirs(state, who, flaw);
                State held = state with
                {
                    Held = holds ? (byte)1 : (byte)0,
                    Queue = state.Queue.Without(heirs),
                };
                foreach (int heir in heirs)
                    held = held.With(heir, held[heir] with { At = At.Moving, Granted = true });
                yield return new($"{me} holds the queue", held.With(index, owner with
                {
                    At = At.Store,
                    Told = new ModelQueue().Add(heirs),
                    HasHeirs = heirs.Length > 0,
                }));
                break;
            case At.Store when holds || state.Held == 0:
                yield return new($"{me} stores", Store(state, index, who, flaw));
                break;
            case At.Deliver:
                State sent = state;
                foreach (int told in owner.Told.Items)
                {
                    Owner woken = state[told];
                    sent = sent.With(
                        told, woken with { At = At.Woken, IsTold = !woken.Granted && !woken.Yields });
                }

                bool toWriter = owner.HasHeirs && Writes(who, owner.Told.First);
                yield return new($"{me} delivers", sent.With(
                    index, toWriter
                        ? outside : owner with { At = At.WakeThreads, Told = default, HasHeirs = false }));
                break;
            case At.WakeThreads:
                State awake = state.With(index, outside);
                for (int other = 0; other < Owners; other++)
                {
                    if (!IsFiber(who, other) && state[other].At == At.Waiting)
                        awake = awake.With(other, state[other] with { At = At.Woken });
                }

                yield return new($"{me} wakes the threads", awake);
                break;
        }
    }

    private static State Store(State state, int index, string who, Flaw flaw)
    {
        Owner owner = state[index];
        ModelQueue told = owner.Told;
        bool toWriter = owner.HasHeirs && Writes(who, told.First);
        State next = state;
        if (!toWriter)
        {
            int[] fresh = [.. state.Queue.Items.Where(
                fiber => !state[fiber].HasSlept || flaw == Flaw.WakesThoseThatWerePassedOver)];
            next = next with { Queue = next.Queue.Without(fresh) };
            foreach (int fiber in fresh) next = next.With(fiber, next[fiber] with { At = At.Moving });
            told = told.Add(fresh);
        }

        bool passedOverRemain = flaw != Flaw.ForgetsHeirsBehindReaders && !next.Queue.IsEmpty;
        int hints = toWriter || passedOverRemain ? WriterWaiting | Contended : 0;
        int inside = toWriter ? WriterInside : owner.HasHeirs ? owner.Told.Items.Count() : 0;
        return next.With(index, owner with { At = At.Deliver, Told = told }) with
        {
            Word = (byte)(hints | inside),
            Held = 0,
        };
    }

    private static int[] Heirs(State state, string who, Flaw flaw)
    {
        int[] passedOver = [.. state.Queue.Items.Where(fiber => state[fiber].HasSlept)];
        if (passedOver.Length == 0) return [];
        bool writes = Writes(who, passedOver[0]);
        if (writes || flaw == Flaw.OneReaderIsTheHeirOfMany) return passedOver[..1];
        return [.. passedOver.Where(fiber => !Writes(who, fiber))];
    }
}
