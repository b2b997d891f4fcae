using Snapshot.Mpi.Protocol;
using Snapshot.Tests.Memory.Locks;

namespace Snapshot.Tests.Mpi;

/// <summary>What is wrong in a mutant of the protocol.</summary>
public enum JobProtocolFlaw
{
    None,
    RestartsByNumber,
    LetsGoAtTheCommit,
    LetsGoBeforeAllKnow,
    PublishesBeforeAllIsDurable,
    AnnouncesBeforeItIsPublished,
}

/// <summary>
/// The protocol of a job as a model: three ranks, each with the store it keeps, the manifest on the disk, and
/// crashes of the whole job between any two steps. What all ranks do next is decided by the product's own
/// <see cref="Decision"/>. The images of one cut have one id; numbers are those of each rank's own store.
/// </summary>
/// <param name="cuts">Checkpoints that are begun, in all lives together.</param>
/// <param name="crashes">Of the whole job.</param>
/// <param name="flaw">What is wrong in a mutant.</param>
internal sealed class JobProtocolModel(int cuts, int crashes, JobProtocolFlaw flaw)
{
    internal const int Ranks = 3;
    private const int Kept = 2;
    private const byte Nothing = 255;

    internal enum Ticket : byte
    {
        None,
        Open,
        Committed,
        Failed,
    }

    internal enum Writing : byte
    {
        None,
        Open,
        Durable,
        Failed,
    }

    /// <param name="Images">
    /// The ids of its store's images, 4 bits each, by their number from 1; 0: none.
    /// </param>
    /// <param name="Next">The next number.</param>
    /// <param name="Ticket">Its checkpoint.</param>
    /// <param name="Acted">Whether it has done its part of what was decided.</param>
    internal readonly record struct Rank(uint Images, byte Next, Ticket Ticket, bool Acted)
    {
        internal int IdOf(int number) => (int)(Images >> (4 * (number - 1))) & 15;

        internal int NumberOf(int id)
        {
            for (int number = 1; number <= Next; number++)
            {
                if (IdOf(number) == id) return number;
            }

            return 0;
        }

        internal Rank Commit(int id) =>
            this with
            {
                Images = Images | (uint)id << (4 * Next),
                Next = (byte)(Next + 1),
                Ticket =
                Ticket.Committed
            };

        /// <summary>Below a number all goes, and the newest stays in any case.</summary>
        internal Rank Prune(int floor) => floor <= 1
            ? this
            : this with { Images = Images & ~((1u << (4 * (Math.Min(floor, (int)Next) - 1))) - 1) };
    }

    /// <param name="Older">The id of the older entry of the manifest; 0: none.</param>
    /// <param name="Newer">That of the newer.</param>
    internal readonly record struct Manifest(byte Older, byte Newer)
    {
        internal int Oldest => Older > 0 ? Older : Newer;

        internal Manifest With(int id) => new(Newer, (byte)id);
    }

    /// <param name="A">Rank 0, which writes the manifest.</param>
    /// <param name="B">Rank 1.</param>
    /// <param name="C">Rank 2.</param>
    /// <param name="Stage">Of all ranks, between two reductions.</param>
    /// <param name="Act">
    /// What was decided and not all have done; <see cref="Nothing"/> where they have.
    /// </param>
    /// <param name="Cut">The id of the newest cut.</param>
    /// <param name="Crashes">Those that are left.</param>
    /// <param name="Disk">The manifest that a restart reads.</param>
    /// <param name="Known">The one that the ranks go on from.</param>
    /// <param name="Writing">Of the manifest.</param>
    /// <param name="Told">The newest id that a rank was told to be published.</param>
    /// <param name="Fault">What a restart found: 1 torn, 2 incomplete, 3 older than what was told.</param>
    internal readonly record struct State(
        Rank A, Rank B, Rank C, JobStage Stage, byte Act, byte Cut, byte Crashes, Manifest Disk,
        Manifest Known,
        Writing Writing, byte Told, byte Fault)
    {
        internal Rank this[int rank] => rank switch { 0 => A, 1 => B, _ => C };

        internal bool AllActed => A.Acted && B.Acted && C.Acted;

        internal IEnumerable<Rank> All => [A, B, C];

        internal State With(int rank, Rank changed) => rank switch
        {
            0 => this with { A = changed },
            1 => this with { B = changed },
            _ => this with { C = changed },
        };

        internal State WithAll(Func<Rank, Rank> change) =>
            this with { A = change(A), B = change(B), C = change(C) };
    }

    internal (int States, string? Fault) Explore() => StateExplorer.Explore(
        new State { Act = Nothing, Crashes = (byte)crashes },
        Steps,
        static state => state.Fault switch
        {
            0 => null,
            1 => "ranks were restored from different cuts",
            2 => "a rank has no image of the published generation",
            _ => "a generation that was told to be published is lost",
        },
        state => state.Cut == cuts && state.Stage == JobStage.Idle && state.Act == Nothing);

    private IEnumerable<ModelStep<State>> Steps(State state)
    {
        if (state.Crashes > 0) yield return new("crash and restart", Restart(state), Fair: false);
        for (int rank = 0; rank < Ranks; rank++)
        {
            Rank mine = state[rank];
            if (mine.Ticket == Ticket.Open)
            {
                State committed = state.With(rank, mine.Commit(state.Cut));
                if (flaw == JobProtocolFlaw.LetsGoAtTheCommit)
                    committed = committed.With(rank, committed[rank].Prune(committed[rank].Next));
                yield return new($"{rank} commits", committed);
                yield return new(
                    $"{rank} cannot commit", state.With(rank, mine with { Ticket = Ticket.Failed }),
                    Fair: false);
            }

            if (state.Act != Nothing && !mine.Acted)
            {
                yield return new($"{rank} does its part", Settled(Do(state, rank)));
                if ((JobAct)state.Act == JobAct.Cut)
                {
                    yield return new(
                        $"{rank} cannot capture",
                        Settled(state.With(rank, mine with { Acted = true, Ticket = Ticket.Failed })),
                        Fair: false);
                }
            }
        }

        if (state.Writing == Writing.Open)
        {
            Manifest next = state.Known.With(state.Cut);
            yield return new(
                "the manifest is durable", state with { Writing = Writing.Durable, Disk = next });
            State failed = state with { Writing = Writing.Failed };
            yield return new("the manifest cannot be written", failed, Fair: false);
            yield return new("it cannot be synced, and is there", failed with { Disk = next }, Fair: false);
        }

        if (state.Act == Nothing && Decide(state) is { } decided) yield return decided;
    }

    /// <summary>The reduction: all ranks have said their words, and read the same.</summary>
    private ModelStep<State>? Decide(State state)
    {
        long[] words = new long[AgreedWords.Count];
        words[AgreedWords.Request] = state.Cut < cuts ? 1 : 0;
        words[AgreedWords.Undrained] = state.All.Any(rank => rank.Ticket == Ticket.Open) ? 1 : 0;
        words[AgreedWords.Failed] =
            state.All.Any(rank => rank.Ticket == Ticket.Failed) || state.Writing == Writing.Failed ? 1 : 0;
        words[AgreedWords.Unpublished] = state.Writing == Writing.Durable ? 0 : 1;
        if (flaw == JobProtocolFlaw.PublishesBeforeAllIsDurable) words[AgreedWords.Undrained] = 0;
        if (flaw == JobProtocolFlaw.AnnouncesBeforeItIsPublished) words[AgreedWords.Unpublished] = 0;
        JobAct act = Decision.Of(state.Stage, words);
        if (act == JobAct.None) return null;
        State next = state.WithAll(static rank => rank with { Acted = false }) with { Act = (byte)act };
        return new($"decided: {act}", act == JobAct.Cut ? next with { Cut = (byte)(state.Cut + 1) } : next);
    }

    /// <summary>What a rank does by itself.</summary>
    private State Do(State state, int rank)
    {
        Rank mine = state[rank] with { Acted = true };
        switch ((JobAct)state.Act)
        {
            case JobAct.Cut:
                mine = mine with { Ticket = Ticket.Open };
                break;
            case JobAct.Publish when flaw == JobProtocolFlaw.LetsGoBeforeAllKnow:
                mine = mine.Prune(mine.NumberOf(state.Known.With(state.Cut).Oldest));
                break;
            case JobAct.Announce:
                state = state with { Told = state.Cut };
                mine = mine.Prune(mine.NumberOf(state.Known.With(state.Cut).Oldest)) with
                {
                    Ticket =
                    Ticket.None
                };
                break;
            case JobAct.GiveUp:
                mine = mine with { Ticket = Ticket.None };
                break;
        }

        return state.With(rank, mine);
    }

    /// <summary>When the last rank has done its part, all are in the next stage.</summary>
    private static State Settled(State state)
    {
        if (!state.AllActed) return state;
        JobAct act = (JobAct)state.Act;
        state = state with { Act = Nothing };
        switch (act)
        {
            case JobAct.Cut when state.All.Any(rank => rank.Ticket == Ticket.Failed):
                // Whatever a rank had committed by then is in its store, and in no manifest.
                return state.WithAll(static rank => rank with { Ticket = Ticket.None });
            case JobAct.Cut:
                return state with { Stage = JobStage.Draining };
            case JobAct.Publish:
                return state with { Stage = JobStage.Publishing, Writing = Writing.Open };
            case JobAct.Announce:
                return state with
                {
                    Stage = JobStage.Idle,
                    Writing = Writing.None,
                    Known = state.Known.With(state.Cut),
                };
            default:
                return state with { Stage = JobStage.Idle, Writing = Writing.None };
        }
    }

    private State Restart(State state)
    {
        State next = state.WithAll(static rank => rank with { Ticket = Ticket.None, Acted = false }) with
        {
            Stage = JobStage.Idle,
            Act = Nothing,
            Writing = Writing.None,
            Known = state.Disk,
            Crashes = (byte)(state.Crashes - 1),
        };
        int[] restored = [.. next.All.Select(rank => flaw == JobProtocolFlaw.RestartsByNumber
            ? rank.IdOf(Math.Max(1, next.All.Min(other => (int)other.Next)))
            : rank.NumberOf(state.Disk.Newer) > 0 ? state.Disk.Newer : 0)];
        if (restored.Distinct().Count() > 1)
            return next with { Fault = (byte)(restored.Contains(0) ? 2 : 1) };
        if (restored[0] == 0 && state.Disk.Newer > 0) return next with { Fault = 2 };
        return restored[0] < state.Told ? next with { Fault = 3 } : next;
    }
}
