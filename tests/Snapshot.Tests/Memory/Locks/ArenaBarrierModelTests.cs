using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaBarrier as a model: one step per access to shared memory. What lies in the arena (state word,
/// records, how many rounds an owner has finished) survives a restart; where an owner stood does not, so it
/// calls again.
/// </summary>
public sealed class ArenaBarrierModelTests(ITestOutputHelper output)
{
    private enum At : byte
    {
        Outside,
        Load,
        Count,
        Look,
        Sleep,
        Asleep,
        Woken,
        Leave,
        LastLeaves,
        WakeAll,
    }

    /// <param name="At">Where it stands.</param>
    /// <param name="Inside">Its record says inside.</param>
    /// <param name="RecordPhase">The phase in its record.</param>
    /// <param name="SeenPhase">The state word it loaded.</param>
    /// <param name="SeenArrived">The same.</param>
    /// <param name="Returned">Rounds it has finished; in the arena.</param>
    /// <param name="Counted">How often it was counted; known to the model only.</param>
    private readonly record struct Owner(
        At At, bool Inside, byte RecordPhase, byte SeenPhase, byte SeenArrived, byte Returned, byte Counted)
    {
        internal bool InWait => At is At.Sleep or At.Asleep or At.Woken;

        internal bool Stopped => InWait || At == At.Outside;
    }

    private readonly record struct State(byte Phase, byte Arrived, byte Restarts, Owner A, Owner B, Owner C)
    {
        internal Owner this[int index] => index switch { 0 => A, 1 => B, _ => C };

        internal State With(int index, Owner owner) => index switch
        {
            0 => this with { A = owner },
            1 => this with { B = owner },
            _ => this with { C = owner },
        };
    }

    public enum Flaw
    {
        None,
        NoRecord,
        RecordClearedBeforeWaiting,
        WakesBeforeCompleting,
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    public void Counts_everyone_once_and_loses_no_wake_up_across_restarts(int owners, int rounds)
    {
        (int states, string? fault) = Explore(owners, rounds, Flaw.None);
        output.WriteLine($"{states} states");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.NoRecord)]
    [InlineData(Flaw.RecordClearedBeforeWaiting)]
    [InlineData(Flaw.WakesBeforeCompleting)]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw)
    {
        (_, string? fault) = Explore(owners: 2, rounds: 2, flaw);
        Assert.NotNull(fault);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(int owners, int rounds, Flaw flaw) =>
        StateExplorer.Explore(
            new State(0, 0, 2, default, default, default),
            state => Steps(state, owners, rounds, flaw),
            state => Violation(state, owners),
            state => Enumerable.Range(0, owners)
                .All(index => state[index].At == At.Outside && state[index].Returned == rounds));

    private static string? Violation(State state, int owners)
    {
        for (int index = 0; index < owners; index++)
        {
            Owner owner = state[index];
            if (owner.Counted > owner.Returned + 1) return $"owner {index} was counted twice";
            if (owner.Returned > owner.Counted) return $"owner {index} passed without being counted";
            if (state.Phase > owner.Counted) return $"phase {state.Phase} began without owner {index}";
            if (owner.Returned > state.Phase) return $"owner {index} passed before the phase was complete";
        }

        return null;
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, int owners, int rounds, Flaw flaw)
    {
        for (int index = 0; index < owners; index++)
        {
            if (state[index].At == At.Outside && state[index].Returned == rounds) continue;
            yield return OwnerStep(state, index, owners, flaw);
        }

        if (state.Restarts > 0 && state.A.Stopped && state.B.Stopped && state.C.Stopped)
        {
            State next = state with { Restarts = (byte)(state.Restarts - 1) };
            for (int index = 0; index < owners; index++)
            {
                next =
                    next.With(index, state[index] with { At = At.Outside, SeenPhase = 0, SeenArrived = 0 });
            }

            yield return new("capture and restart", next, Fair: false);
        }
    }

    private static ModelStep<State> OwnerStep(State state, int index, int owners, Flaw flaw)
    {
        Owner owner = state[index];
        switch (owner.At)
        {
            case At.Outside when owner.Inside && flaw != Flaw.NoRecord:
                return Move("comes back", owner with { At = At.Look });
            case At.Outside:
                return Move("comes", owner with { At = At.Load, Inside = true, RecordPhase = state.Phase });
            case At.Load:
                bool wakesNow = flaw == Flaw.WakesBeforeCompleting && state.Arrived + 1 == owners;
                Owner loaded = owner with
                {
                    At = At.Count,
                    RecordPhase = state.Phase,
                    SeenPhase = state.Phase,
                    SeenArrived = state.Arrived,
                };
                return new($"{index} loads", (wakesNow ? WakeAll(state) : state).With(index, loaded));
            case At.Count when (state.Phase, state.Arrived) != (owner.SeenPhase, owner.SeenArrived):
                return Move("fails to count", owner with { At = At.Load });
            case At.Count when state.Arrived + 1 == owners:
                State completed = state with { Phase = (byte)(state.Phase + 1), Arrived = 0 };
                return new(
                    $"{index} completes",
                    completed.With(
                        index, owner with { At = At.LastLeaves, Counted = (byte)(owner.Counted + 1) }));
            case At.Count:
                bool inside = flaw != Flaw.RecordClearedBeforeWaiting;
                State counted = state with { Arrived = (byte)(state.Arrived + 1) };
                return new(
                    $"{index} is counted",
                    counted.With(
                        index,
                        owner with { At = At.Look, Inside = inside, Counted = (byte)(owner.Counted + 1) }));
            case At.Look:
                return Move(
                    "looks", owner with { At = state.Phase == owner.RecordPhase ? At.Sleep : At.Leave });
            case At.Sleep:
                return Move(
                    "sleeps or not",
                    owner with { At = state.Phase == owner.RecordPhase ? At.Asleep : At.Woken });
            case At.Asleep:
                return Move("sleeps on", owner);
            case At.Woken:
                return Move("returns", owner with { At = At.Look });
            case At.LastLeaves:
                return Move("clears its record", owner with { At = At.WakeAll, Inside = false });
            case At.WakeAll:
                return new(
                    $"{index} wakes all",
                    (flaw == Flaw.WakesBeforeCompleting ? state : WakeAll(state)).With(index, Passed()));
            default:
                return Move("passes", Passed());
        }

        Owner Passed() =>
            owner with { At = At.Outside, Inside = false, Returned = (byte)(owner.Returned + 1) };

        ModelStep<State> Move(string name, Owner next) => new($"{index} {name}", state.With(index, next));
    }

    private static State WakeAll(State state)
    {
        for (int index = 0; index < 3; index++)
        {
            if (state[index].At == At.Asleep) state = state.With(index, state[index] with { At = At.Woken });
        }

        return state;
    }
}
