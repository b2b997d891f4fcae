using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// ArenaSemaphore as a model: three takers of one each and a releaser who releases in the given portions. The
/// danger is the second release that finds the hint cleared by the first while takers still sleep.
/// </summary>
public sealed class ArenaSemaphoreModelTests(ITestOutputHelper output)
{
    private const byte Contended = 0x80;

    private enum At : byte
    {
        Look,
        Take,
        Mark,
        Sleep,
        Asleep,
        Woken,
        WakeNext,
        Done,
    }

    private readonly record struct Taker(At At, byte Seen, byte Keep)
    {
        internal bool Stopped => At is At.Sleep or At.Asleep or At.Woken or At.Done;
    }

    private readonly record struct State(
        byte Word, byte Released, byte Owed, byte Restarts, Taker A, Taker B, Taker C)
    {
        internal Taker this[int index] => index switch { 0 => A, 1 => B, _ => C };

        internal State With(int index, Taker taker) => index switch
        {
            0 => this with { A = taker },
            1 => this with { B = taker },
            _ => this with { C = taker },
        };
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 2, 0)]
    [InlineData(3, 0, 0)]
    public void Every_unit_released_reaches_a_taker_across_restarts(int first, int second, int third)
    {
        (int states, string? fault) = Explore([first, second, third], passOn: true);
        output.WriteLine($"{states} states");
        Assert.Null(fault);
    }

    [Fact]
    public void The_exploration_finds_the_wake_up_that_is_lost_when_a_taker_does_not_pass_on()
    {
        (_, string? fault) = Explore([1, 1, 1], passOn: false);
        Assert.Contains("stuck", fault, StringComparison.Ordinal);
    }

    private static (int States, string? Fault) Explore(int[] portions, bool passOn) => StateExplorer.Explore(
        new State(0, 0, 0, 1, default, default, default),
        state => Steps(state, portions, passOn),
        state =>
        {
            int taken = Enumerable.Range(0, 3).Count(index => state[index].At is At.Done or At.WakeNext);
            return (state.Word & ~Contended) +
                taken == portions.Take(state.Released).Sum() ? null : "a unit was lost or made";
        },
        state => Enumerable.Range(0, 3).All(index => state[index].At == At.Done) && state.Owed == 0
            && portions.Skip(state.Released).Sum() == 0);

    private static IEnumerable<ModelStep<State>> Steps(State state, int[] portions, bool passOn)
    {
        for (int index = 0; index < 3; index++)
        {
            foreach (ModelStep<State> step in TakerSteps(state, index, passOn)) yield return step;
        }

        // The releaser: add and clear the hint, then wake as many, one step each.
        if (state.Owed > 0)
        {
            bool none = true;
            foreach (State woken in WakeOne(state))
            {
                none = false;
                yield return new("releaser wakes one", woken with { Owed = (byte)(state.Owed - 1) });
            }

            if (none) yield return new("releaser wakes nobody", state with { Owed = 0 });
        }
        else if (state.Released < portions.Length && portions[state.Released] > 0)
        {
            int portion = portions[state.Released];
            yield return new("releaser adds", state with
            {
                Word = (byte)((state.Word & ~Contended) + portion),
                Released = (byte)(state.Released + 1),
                Owed = (state.Word & Contended) != 0 ? (byte)portion : (byte)0,
            });
        }

        if (state.Restarts > 0 && state.Owed == 0 && state.A.Stopped && state.B.Stopped && state.C.Stopped)
        {
            State next = state with { Restarts = (byte)(state.Restarts - 1) };
            for (int index = 0; index < 3; index++)
            {
                if (state[index].At != At.Done) next = next.With(index, default);
            }

            yield return new("capture and restart", next, Fair: false);
        }
    }

    private static IEnumerable<ModelStep<State>> TakerSteps(State state, int index, bool passOn)
    {
        Taker taker = state[index];
        byte word = state.Word;
        bool matches = word == taker.Seen;
        switch (taker.At)
        {
            case At.Look when (word & ~Contended) != 0:
                yield return Move("sees some", taker with { At = At.Take, Seen = word });
                break;
            case At.Look:
                yield return Move(
                    "sees none", taker with { At = word == 0 ? At.Mark : At.Sleep, Seen = word });
                break;
            case At.Take when matches:
                byte rest = (byte)((word - 1) | taker.Keep);
                bool owes = passOn && taker.Keep != 0 && (rest & ~Contended) != 0;
                yield return Move(
                    "takes", taker with { At = owes ? At.WakeNext : At.Done, Seen = 0, Keep = 0 }, rest);
                break;
            case At.Mark when matches:
                yield return Move("marks", taker with { At = At.Sleep, Seen = Contended }, Contended);
                break;
            case At.Take or At.Mark:
                yield return Move("fails", taker with { At = At.Look });
                break;
            case At.Sleep:
                yield return Move(
                    "sleeps or not", taker with { At = word == Contended ? At.Asleep : At.Woken });
                break;
            case At.Woken:
                yield return Move("returns", taker with { At = At.Look, Keep = Contended });
                break;
            case At.WakeNext:
                State done = state.With(index, taker with { At = At.Done });
                bool none = true;
                foreach (State woken in WakeOne(done))
                {
                    none = false;
                    yield return new($"{index} passes on", woken);
                }

                if (none) yield return new($"{index} passes on to nobody", done);
                break;
        }

        ModelStep<State> Move(string name, Taker next, byte? newWord = null) =>
            new($"{index} {name}", (state with { Word = newWord ?? word }).With(index, next));
    }

    private static IEnumerable<State> WakeOne(State state)
    {
        for (int index = 0; index < 3; index++)
        {
            if (state[index].At == At.Asleep)
                yield return state.With(index, state[index] with { At = At.Woken });
        }
    }
}
