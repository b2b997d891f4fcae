using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaMutex as a model: one step per access to the word, each owner a program counter. Owner 0 may time
/// out; a capture and restart may happen whenever every owner is outside, inside (at a poll), or in its wait.
/// </summary>
public sealed class ArenaMutexModelTests(ITestOutputHelper output)
{
    private const byte Contended = 0x80;

    private enum At : byte
    {
        Outside,
        FastTake,
        Look,
        Take,
        Mark,
        Sleep,
        Asleep,
        Woken,
        Inside,
        WakeOne,
    }

    private readonly record struct Owner(At At, byte Seen, byte Keep, bool Expired, byte Rounds)
    {
        internal bool InWait => At is At.Sleep or At.Asleep or At.Woken;

        internal bool Stopped => InWait || At is At.Outside or At.Inside;
    }

    private readonly record struct State(byte Word, byte Restarts, Owner A, Owner B, Owner C)
    {
        internal Owner this[int index] => index switch { 0 => A, 1 => B, _ => C };

        internal State With(int index, Owner owner) => index switch
        {
            0 => this with { A = owner },
            1 => this with { B = owner },
            _ => this with { C = owner },
        };
    }

    /// <summary>
    /// The ways in which a mutex of this kind is commonly wrong, to show that the exploration would find
    /// them.
    /// </summary>
    public enum Flaw
    {
        None,
        WokenOwnerForgetsTheOthers,
        GivesUpBeforeMarking,
        RestartKeepsSleepers,
    }

    [Theory]
    [InlineData(2, 2, false)]
    [InlineData(3, 2, false)]
    [InlineData(3, 1, true)]
    public void Excludes_and_loses_no_wake_up_across_restarts(int owners, int rounds, bool timeOuts)
    {
        (int states, string? fault) = Explore(owners, rounds, timeOuts, Flaw.None);
        output.WriteLine($"{states} states");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData(Flaw.WokenOwnerForgetsTheOthers, false)]
    [InlineData(Flaw.GivesUpBeforeMarking, true)]
    [InlineData(Flaw.RestartKeepsSleepers, false)]
    public void The_exploration_finds_a_planted_flaw(Flaw flaw, bool timeOuts)
    {
        (_, string? fault) = Explore(owners: 3, rounds: 2, timeOuts, flaw);
        Assert.Contains("stuck", fault, StringComparison.Ordinal);
        output.WriteLine(fault);
    }

    private static (int States, string? Fault) Explore(int owners, int rounds, bool timeOuts, Flaw flaw)
    {
        Owner present = new(At.Outside, 0, 0, false, (byte)rounds);
        State initial = new(0, 2, present, present, owners > 2 ? present : default);
        return StateExplorer.Explore(
            initial,
            state => Steps(state, timeOuts, flaw),
            Violation,
            state => state.A is { At: At.Outside, Rounds: 0 } && state.B is { At: At.Outside, Rounds: 0 }
                && state.C is { At: At.Outside, Rounds: 0 });
    }

    private static string? Violation(State state)
    {
        for (int index = 0; index < 3; index++)
        {
            bool owns = (state.Word & ~Contended) == index + 1;
            if (owns != (state[index].At == At.Inside)) return $"the word and owner {index} disagree";
        }

        return null;
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, bool timeOuts, Flaw flaw)
    {
        for (int index = 0; index < 3; index++)
        {
            foreach (ModelStep<State> step in OwnerSteps(state, index, timeOuts && index == 0, flaw))
                yield return step;
        }

        if (state.Restarts > 0 && state.A.Stopped && state.B.Stopped && state.C.Stopped)
        {
            State next = state with { Restarts = (byte)(state.Restarts - 1) };
            for (int index = 0; index < 3; index++)
            {
                Owner owner = state[index];
                if (owner.InWait && flaw != Flaw.RestartKeepsSleepers)
                    next = next.With(index, new Owner(At.Outside, 0, 0, false, owner.Rounds));
                else if (owner.InWait) next = next.With(index, owner with { At = At.Asleep });
            }

            yield return new("capture and restart", next, Fair: false);
        }
    }

    private static IEnumerable<ModelStep<State>> OwnerSteps(
        State state, int index, bool mayTimeOut, Flaw flaw)
    {
        Owner owner = state[index];
        byte word = state.Word;
        byte me = (byte)(index + 1);
        bool matches = word == owner.Seen;
        Owner leaving = new(At.Outside, 0, 0, false, (byte)(owner.Rounds - 1));
        switch (owner.At)
        {
            case At.Outside when owner.Rounds > 0:
                yield return Move($"{me} comes", owner with { At = At.FastTake });
                break;
            case At.FastTake:
                yield return word == 0
                    ? Move($"{me} takes at once", owner with { At = At.Inside }, me)
                    : Move($"{me} finds it taken", owner with { At = At.Look });
                break;
            case At.Look when (word & ~Contended) == 0:
                yield return Move($"{me} sees it free", owner with { At = At.Take, Seen = word });
                break;
            case At.Look when owner.Expired && flaw == Flaw.GivesUpBeforeMarking:
                yield return Move($"{me} gives up", leaving);
                break;
            case At.Look when (word & Contended) == 0:
                yield return Move($"{me} sees it held", owner with { At = At.Mark, Seen = word });
                break;
            case At.Look:
                yield return Move(
                    $"{me} sees it contended",
                    owner.Expired ? leaving : owner with { At = At.Sleep, Seen = word });
                break;
            case At.Take:
                yield return matches
                    ? Move($"{me} takes", owner with { At = At.Inside }, (byte)(me | owner.Keep | owner.Seen))
                    : Move($"{me} fails to take", owner with { At = At.Look });
                break;
            case At.Mark when matches:
                byte marked = (byte)(word | Contended);
                yield return Move(
                    $"{me} marks", owner.Expired ? leaving : owner with { At = At.Sleep, Seen = marked },
                    marked);
                break;
            case At.Mark:
                yield return Move($"{me} fails to mark", owner with { At = At.Look });
                break;
            case At.Sleep:
                yield return Move($"{me} sleeps or not", owner with { At = matches ? At.Asleep : At.Woken });
                break;
            case At.Woken:
                byte keep = flaw == Flaw.WokenOwnerForgetsTheOthers ? (byte)0 : Contended;
                yield return Move($"{me} returns", owner with { At = At.Look, Keep = keep });
                break;
            case At.Inside:
                yield return (word & Contended) != 0
                    ? Move($"{me} leaves", owner with { At = At.WakeOne }, 0)
                    : Move($"{me} leaves", leaving, 0);
                break;
            case At.WakeOne:
                bool none = true;
                for (int other = 0; other < 3; other++)
                {
                    if (state[other].At != At.Asleep) continue;
                    none = false;
                    State woken = state.With(other, state[other] with { At = At.Woken }).With(index, leaving);
                    yield return new($"{me} wakes {other + 1}", woken);
                }

                if (none) yield return Move($"{me} wakes nobody", leaving);
                break;
        }

        // The time may pass in any wait, also after a wake that this owner thereby consumed.
        if (mayTimeOut && owner.InWait)
        {
            Owner late = owner with { At = At.Look, Keep = Contended, Expired = true };
            yield return new($"{me} times out", state.With(index, late), Fair: false);
        }

        ModelStep<State> Move(string name, Owner next, byte? newWord = null) =>
            new(name, (state with { Word = newWord ?? word }).With(index, next));
    }
}
