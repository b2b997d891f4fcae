using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// WaitTable and WaitInbox as a model, one step per access to what is shared: a worker that runs two fibers
/// and sleeps when none can go on, and two wakers. Each fiber waits until the word has grown to a number of
/// its own; each waker makes it grow by one and wakes all. One fiber may have a deadline.
/// </summary>
public sealed class WaitTableModelTests(ITestOutputHelper output)
{
    private const int Fibers = 2;
    private const int Nobody = 0;
    private const int TheWorker = 1;

    /// <summary>What the worker's thread does next.</summary>
    private enum Worker : byte
    {
        Take,
        Run,
        LockToPark,
        Count,
        Compare,
        Link,
        ReadSignal,
        Announce,
        LookAgain,
        Sleep,
        Asleep,
        Awake,
        LockToRemove,
        Remove,
        Done,
    }

    /// <summary>What a waker does next.</summary>
    private enum Waker : byte
    {
        Change,
        LookAtCount,
        Lock,
        TakeOut,
        Push,
        LookAtSleeper,
        ClearSleeper,
        Signal,
        Wake,
        Done,
    }

    private enum Fiber : byte
    {
        Ready,
        Parked,
        Moving,
        Over,
    }

    /// <summary>
    /// The ways in which such a protocol is commonly wrong, to show that the exploration would find them.
    /// </summary>
    public enum Flaw
    {
        None,
        ParksWithoutCounting,
        ComparesBeforeCounting,
        LooksBeforeChanging,
        LooksAtTheSleeperBeforePushing,
        SleepsWithoutLookingAgain,
        AnnouncesAfterLookingAgain,
        WakesWithoutSignal,
        TimeOutBelievesItself,
    }

    private readonly record struct One(
        Waker At, ModelQueue Taken, bool SawSleeper, bool HasLooked, bool SawNobody);

    private readonly record struct State(
        byte Word, byte Lock, byte Count, byte Signal, bool Sleeping, ModelQueue Bucket, ModelQueue Inbox,
        ModelQueue Ready, Worker At, byte Current, byte Seen, Fiber A, Fiber B, One First, One Second)
    {
        internal Fiber this[int fiber] => fiber == 0 ? A : B;

        internal State With(int fiber, Fiber state) =>
            fiber == 0 ? this with { A = state } : this with { B = state };

        internal State With(int waker, One state) =>
            waker == 0 ? this with { First = state } : this with { Second = state };
    }

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(2, 2, false)]
    [InlineData(1, 2, true)]
    public void No_wake_is_lost_between_a_waker_a_fiber_and_its_sleeping_thread(
        int a, int b, bool hasDeadline)
    {
        (int states, string? fault) = Explore(a, b, hasDeadline, Flaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.ParksWithoutCounting, false)]
    [InlineData(Flaw.ComparesBeforeCounting, false)]
    [InlineData(Flaw.LooksBeforeChanging, false)]
    [InlineData(Flaw.LooksAtTheSleeperBeforePushing, false)]
    [InlineData(Flaw.SleepsWithoutLookingAgain, false)]
    [InlineData(Flaw.AnnouncesAfterLookingAgain, false)]
    [InlineData(Flaw.WakesWithoutSignal, false)]
    [InlineData(Flaw.TimeOutBelievesItself, true)]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw, bool hasDeadline)
    {
        (_, string? fault) = Explore(1, 2, hasDeadline, flaw);
        Assert.NotNull(fault);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(int a, int b, bool hasDeadline, Flaw flaw)
    {
        int[] targets = [a, b];
        State initial = new() { Ready = new ModelQueue().Add([0, 1]) };
        return StateExplorer.Explore(
            initial,
            state => WorkerSteps(state, targets, flaw)
                .Concat(hasDeadline ? DeadlineSteps(state, flaw) : [])
                .Concat(WakerSteps(state, 0, flaw))
                .Concat(WakerSteps(state, 1, flaw)),
            Violation,
            state => state.A == Fiber.Over && state.B == Fiber.Over
                && state.First.At == Waker.Done && state.Second.At == Waker.Done);
    }

    private static string? Violation(State state)
    {
        for (int fiber = 0; fiber < Fibers; fiber++)
        {
            int places = Places(state, fiber);
            if (places != (state[fiber] == Fiber.Over ? 0 : 1)) return $"fiber {fiber} is in {places} places";
        }

        return null;
    }

    private static int Places(State state, int fiber)
    {
        bool runs = state.At is Worker.LockToPark or Worker.Count or Worker.Compare or Worker.Link
            && state.Current == fiber;
        return state.Bucket.Items.Count(item => item == fiber) +
            state.Inbox.Items.Count(item => item == fiber) +
            state.Ready.Items.Count(item => item == fiber) + (runs ? 1 : 0) +
            state.First.Taken.Items.Count(item => item == fiber) +
            state.Second.Taken.Items.Count(item => item == fiber);
    }

    private static IEnumerable<ModelStep<State>> WorkerSteps(State state, int[] targets, Flaw flaw)
    {
        int fiber = state.Current;
        switch (state.At)
        {
            case Worker.Take:
                State taken =
                    state.Inbox.Items.Aggregate(state, (next, woken) => next.With(woken, Fiber.Ready));
                taken = taken with { Inbox = default, Ready = state.Ready.Add(state.Inbox.Items) };
                bool isOver = state.A == Fiber.Over && state.B == Fiber.Over;
                Worker then = isOver ? Worker.Done : taken.Ready.IsEmpty ? Worker.ReadSignal : Worker.Run;
                yield return new("the worker takes its inbox", taken with { At = then });
                break;
            case Worker.Run:
                fiber = state.Ready.First;
                State run = state with { Ready = state.Ready.Without(fiber), Current = (byte)fiber };
                if (state.Word >= targets[fiber])
                    yield return new(
                        $"fiber {fiber} is over", run.With(fiber, Fiber.Over) with { At = Worker.Take });
                else
                    yield return new(
                        $"fiber {fiber} waits", run with { At = Worker.LockToPark, Seen = state.Word });
                break;
            case Worker.LockToPark or Worker.Count or Worker.Compare or Worker.Link:
                foreach (ModelStep<State> step in ParkSteps(state, flaw)) yield return step;
                break;
            case Worker.ReadSignal:
                yield return new("it reads the signal", state with
                {
                    At = flaw == Flaw.AnnouncesAfterLookingAgain ? Worker.LookAgain : Worker.Announce,
                    Seen = state.Signal,
                });
                break;
            case Worker.Announce:
                yield return new("it announces its sleep", state with
                {
                    Sleeping = true,
                    At = flaw is Flaw.SleepsWithoutLookingAgain or Flaw.AnnouncesAfterLookingAgain
                        ? Worker.Sleep
                        : Worker.LookAgain,
                });
                break;
            case Worker.LookAgain:
                Worker next = flaw == Flaw.AnnouncesAfterLookingAgain ? Worker.Announce : Worker.Sleep;
                yield return new(
                    "it looks again", state with { At = state.Inbox.IsEmpty ? next : Worker.Awake });
                break;
            case Worker.Sleep:
                yield return new("it sleeps or not", state with
                {
                    At = state.Signal == state.Seen ? Worker.Asleep : Worker.Awake,
                });
                break;
            case Worker.Awake:
                yield return new("it is awake", state with { At = Worker.Take, Sleeping = false, Seen = 0 });
                break;
        }
    }

    private static IEnumerable<ModelStep<State>> ParkSteps(State state, Flaw flaw)
    {
        int fiber = state.Current;
        switch (state.At)
        {
            case Worker.LockToPark when state.Lock == Nobody:
                yield return new("it locks the bucket", state with
                {
                    Lock = TheWorker,
                    At = flaw == Flaw.ComparesBeforeCounting ? Worker.Compare : Worker.Count,
                });
                break;
            case Worker.Count:
                byte count = flaw == Flaw.ParksWithoutCounting ? state.Count : (byte)(state.Count + 1);
                yield return new("it counts itself", state with
                {
                    Count = count,
                    At = flaw == Flaw.ComparesBeforeCounting ? Worker.Link : Worker.Compare,
                });
                break;
            case Worker.Compare when state.Word == state.Seen:
                yield return new("it finds the word as it was", state with
                {
                    At = flaw == Flaw.ComparesBeforeCounting ? Worker.Count : Worker.Link,
                });
                break;
            case Worker.Compare:
                byte back = flaw is Flaw.ComparesBeforeCounting or Flaw.ParksWithoutCounting
                    ? state.Count
                    : (byte)(state.Count - 1);
                yield return new("it finds another word", state with
                {
                    Count = back,
                    Lock = Nobody,
                    Ready = state.Ready.Add(fiber),
                    At = Worker.Take,
                    Seen = 0,
                });
                break;
            case Worker.Link:
                yield return new($"fiber {fiber} waits", state.With(fiber, Fiber.Parked) with
                {
                    Bucket = state.Bucket.Add(fiber),
                    Lock = Nobody,
                    At = Worker.Take,
                    Seen = 0,
                });
                break;
        }
    }

    /// <summary>
    /// The first fiber's time may pass while it waits; the worker notices when it is awake.
    /// </summary>
    private static IEnumerable<ModelStep<State>> DeadlineSteps(State state, Flaw flaw)
    {
        switch (state.At)
        {
            case Worker.Asleep when state.A != Fiber.Over:
                yield return new(
                    "the time of its sleep has passed", state with { At = Worker.Awake }, Fair: false);
                break;
            case Worker.Take when state.A is Fiber.Parked or Fiber.Moving:
                yield return new("its time has passed", state with { At = Worker.LockToRemove }, Fair: false);
                break;
            case Worker.LockToRemove when state.Lock == Nobody:
                yield return new("it locks the bucket", state with { Lock = TheWorker, At = Worker.Remove });
                break;
            case Worker.Remove:
                bool isThere = state.Bucket.Items.Contains(0);
                bool timesOut = isThere || flaw == Flaw.TimeOutBelievesItself;
                State next = state with
                {
                    Lock = Nobody,
                    At = Worker.Take,
                    Bucket = state.Bucket.Without(0),
                    Count = isThere ? (byte)(state.Count - 1) : state.Count,
                };
                yield return new("the time-out", timesOut ? next.With(0, Fiber.Over) : next);
                break;
        }
    }

    private static IEnumerable<ModelStep<State>> WakerSteps(State state, int index, Flaw flaw)
    {
        One waker = index == 0 ? state.First : state.Second;
        byte me = (byte)(2 + index);
        bool looksFirst = flaw == Flaw.LooksBeforeChanging;
        bool sleeperFirst = flaw == Flaw.LooksAtTheSleeperBeforePushing;
        switch (waker.At)
        {
            case Waker.Change when looksFirst && !waker.HasLooked:
                One looked = waker with { HasLooked = true, SawNobody = state.Count == 0 };
                yield return Move("looks at the count", looked, state);
                break;
            case Waker.Change:
                yield return Move(
                    "changes the word",
                    waker with { At = Waker.LookAtCount },
                    state with { Word = (byte)(state.Word + 1) });
                break;
            case Waker.LookAtCount:
                bool isEmpty = looksFirst ? waker.SawNobody : state.Count == 0;
                yield return Move(
                    "looks at the count", waker with { At = isEmpty ? Waker.Done : Waker.Lock }, state);
                break;
            case Waker.Lock when state.Lock == Nobody:
                yield return Move(
                    "locks the bucket", waker with { At = Waker.TakeOut }, state with { Lock = me });
                break;
            case Waker.TakeOut:
                State without =
                    state.Bucket.Items.Aggregate(state, (next, fiber) => next.With(fiber, Fiber.Moving));
                yield return Move(
                    "takes all out",
                    waker with { At = Waker.Push, Taken = state.Bucket, SawSleeper = state.Sleeping },
                    without with
                    {
                        Bucket = default,
                        Count = (byte)(state.Count - Math.Min(state.Count, state.Bucket.Items.Count())),
                        Lock = Nobody,
                    });
                break;
            case Waker.Push:
                yield return waker.Taken.IsEmpty
                    ? Move("has sent all", waker with { At = Waker.Done, SawSleeper = false }, state)
                    : Move(
                        "pushes one",
                        waker with
                        {
                            At = Waker.LookAtSleeper,
                            Taken =
                            waker.Taken.Without(waker.Taken.First)
                        },
                        state with { Inbox = state.Inbox.Add(waker.Taken.First) });
                break;
            case Waker.LookAtSleeper:
                bool sleeps = sleeperFirst ? waker.SawSleeper : state.Sleeping;
                yield return Move(
                    "looks at the sleeper", waker with { At = sleeps ? Waker.ClearSleeper : Waker.Push },
                    state);
                break;
            case Waker.ClearSleeper:
                yield return Move(
                    "says that it rings", waker with { At = Waker.Signal }, state with { Sleeping = false });
                break;
            case Waker.Signal:
                byte signal = flaw == Flaw.WakesWithoutSignal ? state.Signal : (byte)((state.Signal + 1) & 7);
                yield return Move("signals", waker with { At = Waker.Wake }, state with { Signal = signal });
                break;
            case Waker.Wake:
                Worker at = state.At == Worker.Asleep ? Worker.Awake : state.At;
                yield return Move("wakes", waker with { At = Waker.Push }, state with { At = at });
                break;
        }

        ModelStep<State> Move(string name, One next, State rest) =>
            new($"waker {index} {name}", rest.With(index, next));
    }
}
