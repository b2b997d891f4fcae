using Snapshot.Tests.Memory.Locks;
using Xunit.Abstractions;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// ArenaChannel as a model: what is done under its lock is one step, since nothing else sees it in between;
/// the wakes are steps of their own. Four fibers, a letter each: 'w' writes one item, 'r' reads one, 'p'
/// waits until there is one and leaves it, 'c' completes the channel when all have been written. Capacity 1.
/// </summary>
public sealed class ChannelModelTests(ITestOutputHelper output)
{
    private const int Capacity = 1;

    private enum At : byte
    {
        Try,
        Park,
        Parked,
        Moving,
        Woken,
        WakeReader,
        WakeWriter,
        WakeAll,
        Done,
    }

    /// <summary>
    /// The ways in which such a channel is commonly wrong, to show that the exploration would find them.
    /// </summary>
    public enum Flaw
    {
        None,
        ParksWithoutComparing,
        PeekerKeepsTheWake,
        WritesWithoutCounting,
        CompletesWithoutCounting,
    }

    private readonly record struct Actor(At At, byte Seen, ModelQueue Told, bool HasSlept);

    private readonly record struct State(
        byte Count, byte Writes, byte Reads, bool IsComplete, ModelQueue Readers, ModelQueue Writers,
        byte Restarts,
        Actor A, Actor B, Actor C, Actor D)
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
    [InlineData("wwrr")]
    [InlineData("wprr")]
    [InlineData("wrpc")]
    [InlineData("wwrc")]
    [InlineData("rrrc")]
    [InlineData("wwpr")]
    public void Every_item_finds_its_reader_and_no_wake_is_lost_across_a_restart(string who)
    {
        (int states, string? fault) = Explore(who, Flaw.None);
        output.WriteLine($"{states} states {fault}");
        Assert.Null(fault);
    }

    [Theory]
    [InlineData("wwrr", Flaw.ParksWithoutComparing)]
    [InlineData("wprr", Flaw.PeekerKeepsTheWake)]
    [InlineData("wwrr", Flaw.WritesWithoutCounting)]
    [InlineData("rrrc", Flaw.CompletesWithoutCounting)]
    public void The_exploration_finds_a_planted_flaw(string who, Flaw flaw)
    {
        (_, string? fault) = Explore(who, flaw);
        Assert.Contains("stuck", fault, StringComparison.Ordinal);
    }

    private static (int States, string? Fault) Explore(string who, Flaw flaw) => StateExplorer.Explore(
        new State { Restarts = 1 },
        state => Steps(state, who, flaw),
        state => Violation(state, who),
        state => IsEnd(state, who));

    /// <summary>
    /// Nobody can go on who should: readers are left only where no item is, writers only where no room is.
    /// </summary>
    private static bool IsEnd(State state, string who)
    {
        for (int index = 0; index < who.Length; index++)
        {
            Actor actor = state[index];
            if (actor.At == At.Done) continue;
            bool mayStay = who[index] switch
            {
                'w' => state.Count == Capacity,
                'r' or 'p' => state.Count == 0 && !state.IsComplete,
                _ => false,
            };
            if (actor.At != At.Parked || !mayStay) return false;
        }

        return true;
    }

    private static string? Violation(State state, string who)
    {
        int written =
            Enumerable.Range(0, who.Length).Count(index => who[index] == 'w' && HasDone(state[index]));
        int read = Enumerable.Range(0, who.Length).Count(index => who[index] == 'r' && state[index].HasSlept
            && state[index].At is At.WakeWriter);
        return state.Count > Capacity || read > written ? "an item was lost or made" : null;
    }

    private static bool HasDone(Actor actor) => actor.At is At.Done or At.WakeReader;

    private static IEnumerable<ModelStep<State>> Steps(State state, string who, Flaw flaw)
    {
        bool areStopped = true;
        for (int index = 0; index < who.Length; index++)
        {
            areStopped &= state[index].At is At.Parked or At.Moving or At.Woken or At.Done;
            foreach (ModelStep<State> step in Steps(state, index, who, flaw)) yield return step;
        }

        if (state.Restarts == 0 || !areStopped) yield break;
        State next = state with { Restarts = 0, Readers = default, Writers = default };
        for (int index = 0; index < who.Length; index++)
        {
            if (state[index].At != At.Done) next = next.With(index, state[index] with { At = At.Woken });
        }

        yield return new("capture and restart", next, Fair: false);
    }

    private static IEnumerable<ModelStep<State>> Steps(State state, int index, string who, Flaw flaw)
    {
        Actor actor = state[index];
        string me = $"{who[index]}{index}";
        bool writes = who[index] == 'w';
        Actor done = new() { At = At.Done };
        switch (actor.At)
        {
            case At.Try:
                yield return Try(state, index, who, flaw);
                break;
            case At.Park:
                byte word = writes ? state.Reads : state.Writes;
                bool parks = word == actor.Seen || flaw == Flaw.ParksWithoutComparing;
                State parked = state.With(index, actor with { At = parks ? At.Parked : At.Try, Seen = 0 });
                if (parks && writes) parked = parked with { Writers = state.Writers.Add(index) };
                else if (parks) parked = parked with { Readers = state.Readers.Add(index) };
                yield return new($"{me} parks or not", parked);
                break;
            case At.Woken:
                yield return new(
                    $"{me} looks again", state.With(index, actor with { At = At.Try, HasSlept = true }));
                break;
            case At.WakeReader or At.WakeWriter when !actor.Told.IsEmpty:
                Actor told = state[actor.Told.First];
                yield return new($"{me} delivers", state
                    .With(index, done)
                    .With(actor.Told.First, told with { At = At.Woken }));
                break;
            case At.WakeReader:
                yield return TakeOut(state, index, state.Readers, reader: true);
                break;
            case At.WakeWriter:
                yield return TakeOut(state, index, state.Writers, reader: false);
                break;
            case At.WakeAll:
                State woken = state with { Readers = default, Writers = default };
                foreach (int other in state.Readers.Items.Concat(state.Writers.Items))
                    woken = woken.With(other, state[other] with { At = At.Woken });
                yield return new($"{me} wakes all", woken.With(index, done));
                break;
        }

        ModelStep<State> TakeOut(State before, int by, ModelQueue queue, bool reader)
        {
            if (queue.IsEmpty) return new($"{me} wakes nobody", before.With(by, done));
            int first = queue.First;
            State next = reader
                ? before with { Readers = queue.Without(first) }
                : before with { Writers = queue.Without(first) };
            Actor waker = before[by] with { Told = new ModelQueue().Add(first) };
            return new(
                $"{me} takes {first} out",
                next.With(first, before[first] with { At = At.Moving }).With(by, waker));
        }
    }

    private static ModelStep<State> Try(State state, int index, string who, Flaw flaw)
    {
        Actor actor = state[index];
        string me = $"{who[index]}{index}";
        Actor done = new() { At = At.Done };
        switch (who[index])
        {
            case 'w' when state.IsComplete:
                return new($"{me} is refused", state.With(index, done));
            case 'w' when state.Count < Capacity:
                int more = flaw == Flaw.WritesWithoutCounting ? 0 : 1;
                return new($"{me} writes", state.With(index, new Actor { At = At.WakeReader }) with
                {
                    Count = (byte)(state.Count + 1),
                    Writes = (byte)(state.Writes + more),
                });
            case 'w':
                return new($"{me} finds it full", state.With(
                    index, actor with { At = At.Park, Seen = state.Reads }));
            case 'r' when state.Count > 0:
                return new($"{me} reads", state.With(index, new Actor { At = At.WakeWriter }) with
                {
                    Count = (byte)(state.Count - 1),
                    Reads = (byte)(state.Reads + 1),
                });
            case 'p' when state.Count > 0:
                bool passesOn = actor.HasSlept && flaw != Flaw.PeekerKeepsTheWake;
                return new(
                    $"{me} sees one", state.With(index, passesOn ? new Actor { At = At.WakeReader } : done));
            case 'r' or 'p' when state.IsComplete:
                return new($"{me} is told the end", state.With(index, done));
            case 'c':
                int counts = flaw == Flaw.CompletesWithoutCounting ? 0 : 1;
                return new($"{me} completes", state.With(index, new Actor { At = At.WakeAll }) with
                {
                    IsComplete = true,
                    Writes = (byte)(state.Writes + counts),
                    Reads = (byte)(state.Reads + counts),
                });
            default:
                return new(
                    $"{me} finds none", state.With(index, actor with { At = At.Park, Seen = state.Writes }));
        }
    }
}
