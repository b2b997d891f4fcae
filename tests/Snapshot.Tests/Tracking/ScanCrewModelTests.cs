using System.Numerics;
using Snapshot.Tests.Memory.Locks;
using Xunit;

namespace Snapshot.Tests.Tracking;

/// <summary>What the crew could do wrong, to show that the exploration would find it.</summary>
public enum CrewFlaw
{
    None,
    LooksAtTheDoorBeforeEntering,
    DoesNotCloseTheDoor,
    DoesNotWaitForWhoIsInside,
}

/// <summary>
/// The crew of <c>ScanCrew</c> as a model: a run of one piece and one of three, two helpers, every access to
/// what they share a step of its own. Whatever their order, a run returns when each of its pieces was done
/// once, and nobody does anything between two runs.
/// </summary>
public sealed class ScanCrewModelTests
{
    private const int Runs = 2;

    private enum CallerAt : byte
    {
        Outside,
        SetUp,
        Rewind,
        Open,
        Wake,
        Take,
        Do,
        Close,
        Await,
        Return,
    }

    private enum HelperAt : byte
    {
        Asleep,
        Enter,
        Look,
        EnterLate,
        Take,
        Do,
        Leave,
    }

    [Fact]
    public void Every_piece_is_done_once_in_its_run()
    {
        (int states, string? fault) = Explore(CrewFlaw.None);
        Assert.Null(fault);
        Assert.True(states > 1000, $"{states} states");
    }

    [Theory]
    [InlineData(CrewFlaw.LooksAtTheDoorBeforeEntering)]
    [InlineData(CrewFlaw.DoesNotCloseTheDoor)]
    [InlineData(CrewFlaw.DoesNotWaitForWhoIsInside)]
    public void The_exploration_finds_a_planted_flaw(CrewFlaw flaw) => Assert.NotNull(Explore(flaw).Fault);

    private static (int States, string? Fault) Explore(CrewFlaw flaw) => StateExplorer.Explore(
        new State { Left = Runs },
        state => Steps(state, flaw),
        state => state.Wrong ? "a piece was done outside its run, or not at all" : null,
        state => state.Caller.At == CallerAt.Outside && state.Left == 0);

    private static IEnumerable<ModelStep<State>> Steps(State state, CrewFlaw flaw)
    {
        if (StepOfCaller(state, flaw) is { } caller) yield return new("caller", caller);
        if (StepOfHelper(state, state.Helper0, flaw) is { } first)
            yield return new("helper 0", first.State with { Helper0 = first.Helper });
        if (StepOfHelper(state, state.Helper1, flaw) is { } second)
            yield return new("helper 1", second.State with { Helper1 = second.Helper });
    }

    private static State? StepOfCaller(State state, CrewFlaw flaw)
    {
        Caller caller = state.Caller;
        return caller.At switch
        {
            CallerAt.Outside when state.Left == 0 => null,
            CallerAt.Outside => state.Now(CallerAt.SetUp) with { Left = (byte)(state.Left - 1) },
            CallerAt.SetUp => state.Now(CallerAt.Rewind) with
            {
                IsRunning = true,
                Pieces = (byte)(state.Left > 0 ? 1 : 3),
                Done = 0,
            },
            CallerAt.Rewind => state.Now(CallerAt.Open) with { Next = 0 },
            CallerAt.Open => state.Now(CallerAt.Wake) with { IsOpen = true },
            CallerAt.Wake => state.Now(CallerAt.Take) with { Count = (byte)(state.Count + 1) },
            CallerAt.Take => state.Take() with
            {
                Caller = new(state.Next < state.Pieces ? CallerAt.Do : CallerAt.Close, state.Next),
            },
            CallerAt.Do => state.Finish(caller.Piece).Now(CallerAt.Take),
            CallerAt.Close =>
                state.Now(CallerAt.Await) with
                {
                    IsOpen =
                    state.IsOpen && flaw == CrewFlaw.DoesNotCloseTheDoor
                },
            CallerAt.Await when state.Inside > 0 && flaw != CrewFlaw.DoesNotWaitForWhoIsInside => null,
            CallerAt.Await => state.Now(CallerAt.Return),
            _ => state.Now(CallerAt.Outside) with
            {
                IsRunning = false,
                Wrong = state.Wrong || BitOperations.PopCount(state.Done) != state.Pieces,
            },
        };
    }

    private static (State State, Helper Helper)? StepOfHelper(State state, Helper helper, CrewFlaw flaw)
    {
        bool looksFirst = flaw == CrewFlaw.LooksAtTheDoorBeforeEntering;
        switch (helper.At)
        {
            case HelperAt.Asleep when helper.Seen == state.Count:
                return null;
            case HelperAt.Asleep:
                return (state,
                    helper with { Seen = state.Count, At = looksFirst ? HelperAt.Look : HelperAt.Enter });
            case HelperAt.Enter:
                return (state with { Inside = (byte)(state.Inside + 1) }, helper with { At = HelperAt.Look });
            case HelperAt.Look when looksFirst:
                return (state, helper with { At = state.IsOpen ? HelperAt.EnterLate : HelperAt.Asleep });
            case HelperAt.EnterLate:
                return (state with { Inside = (byte)(state.Inside + 1) }, helper with { At = HelperAt.Take });
            case HelperAt.Look:
                return (state, helper with { At = state.IsOpen ? HelperAt.Take : HelperAt.Leave });
            case HelperAt.Take:
                HelperAt then = state.Next < state.Pieces ? HelperAt.Do : HelperAt.Leave;
                return (state.Take(), helper with { At = then, Piece = state.Next });
            case HelperAt.Do:
                return (state.Finish(helper.Piece), helper with { At = HelperAt.Take });
            default:
                return (state with { Inside = (byte)(state.Inside - 1) },
                    helper with { At = HelperAt.Asleep });
        }
    }

    private readonly record struct Caller(CallerAt At, byte Piece);

    private readonly record struct Helper(HelperAt At, byte Seen, byte Piece);

    private readonly record struct State(
        Caller Caller, Helper Helper0, Helper Helper1, byte Left, byte Count, byte Pieces, byte Next,
        byte Inside,
        uint Done, bool IsOpen, bool IsRunning, bool Wrong)
    {
        internal State Now(CallerAt at) => this with { Caller = new(at, 0) };

        /// <summary>The count of pieces that were taken goes on also when there is none left.</summary>
        internal State Take() => this with { Next = (byte)(Next + 1) };

        /// <summary>A piece is done: in a run, and for the first time in it.</summary>
        internal State Finish(byte piece) => this with
        {
            Done = Done | (1u << piece),
            Wrong = Wrong || !IsRunning || (Done & (1u << piece)) != 0,
        };
    }
}
