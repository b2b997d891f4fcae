using Snapshot.Mpi.Levels;
using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;
using Snapshot.Tests.Memory.Locks;

namespace Snapshot.Tests.Mpi;

/// <summary>What is wrong in a mutant of the levels.</summary>
public enum JobLevelFlaw
{
    None,
    OneHostKeepsTheManifest,
    ListsBeforeAllHaveCopied,
    LetsCopiesGoBeforeTheNewOnesAreListed,
    LetsTheNewestCopiedGo,
    LetsGoWhatIsBeingCopied,
    KeepsCopiesOnTheSameHost,
}

/// <summary>
/// The levels of a job as a model: three hosts of one rank each, each with the rank's own store, copies of
/// its neighbour's images, and a manifest; crashes of the job between any two steps, and hosts that are lost
/// with all they have. What a manifest lists is the product's own <see cref="JobManifest"/>, and what is done
/// with a level its own <see cref="Decision"/>. A generation is captured and drained in one step, since
/// <see cref="JobProtocolModel"/> takes that apart.
/// </summary>
/// <param name="cuts">Generations, in all lives together.</param>
/// <param name="crashes">Of the job, without a loss.</param>
/// <param name="losses">Of hosts, each with a crash of the job.</param>
/// <param name="flaw">What is wrong in a mutant.</param>
internal sealed class JobLevelModel(int cuts, int crashes, int losses, JobLevelFlaw flaw)
{
    private const int Hosts = 3;
    private const int Kept = 2;

    /// <summary>A set of generations, by bits.</summary>
    internal readonly record struct Set(byte Bits)
    {
        internal int Newest => 7 - byte.LeadingZeroCount(Bits);

        internal bool Has(int generation) => (Bits >> generation & 1) != 0;

        internal Set With(int generation) => new((byte)(Bits | 1 << generation));

        internal Set From(int generation) => new((byte)(Bits & ~((1 << generation) - 1)));

        internal Set UpTo(int generation) => new((byte)(Bits & ((2 << generation) - 1)));
    }

    /// <param name="Sequence">0: there is none.</param>
    /// <param name="Listed">Its entries.</param>
    /// <param name="Copied">Those that partners have.</param>
    internal readonly record struct Manifest(byte Sequence, Set Listed, Set Copied)
    {
        internal int Oldest => byte.TrailingZeroCount(Listed.Bits);
    }

    /// <param name="Own">The rank's store.</param>
    /// <param name="Copies">Of the images of the rank before it.</param>
    /// <param name="Disk">The manifest.</param>
    /// <param name="Writes">Whether it has still to write the next one.</param>
    /// <param name="Copying">Whether its rank's images are still to be copied.</param>
    /// <param name="Floor">What its own store may let go of, below.</param>
    /// <param name="CopyFloor">The same of its copies.</param>
    internal readonly record struct Host(
        Set Own, Set Copies, Manifest Disk, bool Writes, bool Copying, byte Floor, byte CopyFloor);

    /// <param name="A">Host 0.</param>
    /// <param name="B">Host 1.</param>
    /// <param name="C">Host 2.</param>
    /// <param name="Known">The manifest that the job goes on from.</param>
    /// <param name="Target">The one that is being written.</param>
    /// <param name="Publishing">The generation that it publishes; 0: it does not.</param>
    /// <param name="Level">How far a generation is on its way to partners.</param>
    /// <param name="Entry">Which.</param>
    /// <param name="Next">The one after it; 0: none.</param>
    /// <param name="Cut">The newest generation.</param>
    /// <param name="Crashes">Those that are left.</param>
    /// <param name="Losses">Those that are left.</param>
    /// <param name="Told">The newest generation that was told to be published.</param>
    /// <param name="Safe">The newest that partners were told to have, and no host was lost since.</param>
    /// <param name="Fault">1: a published generation is lost by a crash; 2: by the loss of a host.</param>
    internal readonly record struct State(
        Host A, Host B, Host C, Manifest Known, Manifest Target, byte Publishing, LevelStage Level,
        byte Entry, byte Next, byte Cut, byte Crashes, byte Losses, byte Told, byte Safe, byte Fault)
    {
        internal Host this[int host] => host switch { 0 => A, 1 => B, _ => C };

        internal IEnumerable<Host> All => [A, B, C];

        internal bool IsBusy => Publishing > 0 || Level == LevelStage.Listing;

        internal State With(int host, Host changed) => host switch
        {
            0 => this with { A = changed },
            1 => this with { B = changed },
            _ => this with { C = changed },
        };

        internal State WithAll(Func<Host, Host> change) =>
            this with { A = change(A), B = change(B), C = change(C) };
    }

    internal (int States, string? Fault) Explore() => StateExplorer.Explore(
        new State { Crashes = (byte)crashes, Losses = (byte)losses },
        Steps,
        static state => state.Fault switch
        {
            0 => null,
            1 => "a generation that was told to be published is lost",
            _ => "a host was lost, and what partners were told to have cannot be restored",
        },
        state => state.Cut == cuts && !state.IsBusy && state.Level == LevelStage.Idle && state.Next == 0);

    private IEnumerable<ModelStep<State>> Steps(State state)
    {
        if (state.Crashes > 0)
        {
            State crashed = state with { Crashes = (byte)(state.Crashes - 1) };
            yield return new("crash and restart", Restart(crashed, isLoss: false), Fair: false);
        }

        if (state.Losses > 0)
        {
            for (int host = 0; host < Hosts; host++)
            {
                State lost = state.With(host, default) with { Losses = (byte)(state.Losses - 1) };
                yield return new($"host {host} is lost", Restart(lost, isLoss: true), Fair: false);
            }
        }

        if (!state.IsBusy && state.Cut < cuts) yield return new("a generation is drained", Publish(state));
        for (int host = 0; host < Hosts; host++)
        {
            Host mine = state[host];
            if (mine.Writes)
            {
                Host written = mine with { Disk = state.Target, Writes = false };
                yield return new($"{host} has the manifest", Written(state.With(host, written)));
            }

            if (mine.Copying) yield return new($"{host} has sent its image", Copy(state, host));
            if (mine.Own.From(mine.Floor) != mine.Own)
            {
                Host pruned = mine with { Own = mine.Own.From(mine.Floor) };
                yield return new($"{host} lets images go", state.With(host, pruned));
            }

            if (mine.Copies.From(mine.CopyFloor) != mine.Copies)
            {
                Host pruned = mine with { Copies = mine.Copies.From(mine.CopyFloor) };
                yield return new($"{host} lets copies go", state.With(host, pruned));
            }
        }

        if (state.Level == LevelStage.Idle && state.Next > 0)
            yield return new("copying begins", Begin(state));
        LevelWord word = flaw != JobLevelFlaw.ListsBeforeAllHaveCopied && state.All.Any(host => host.Copying)
            ? LevelWord.Working : LevelWord.Done;
        if (state.Level == LevelStage.Copying
            && Decision.OfLevel(state.Level, word, state.IsBusy) == LevelAct.List)
            yield return new("all have copied", List(state));
    }

    private State Publish(State state)
    {
        byte cut = (byte)(state.Cut + 1);
        long[] copying = state.Entry > 0 && flaw != JobLevelFlaw.LetsGoWhatIsBeingCopied ? [state.Entry] : [];
        Manifest target = Manifests.With(
            state.Known, cut, Kept, copying, flaw == JobLevelFlaw.LetsTheNewestCopiedGo);
        State next = state.WithAll(host => host with { Own = host.Own.With(cut) });
        return Write(next with { Cut = cut, Publishing = cut }, target);
    }

    private static State List(State state) => Write(
        state with { Level = LevelStage.Listing },
        state.Known with { Copied = state.Known.Copied.With(state.Entry) });

    private static State Write(State state, Manifest target) =>
        state.WithAll(static host => host with { Writes = true }) with
        {
            Target = target with { Sequence = (byte)(state.Target.Sequence + 1) },
        };

    /// <summary>A host has written; when all have, all ranks are told.</summary>
    private State Written(State state)
    {
        bool isDone = flaw == JobLevelFlaw.OneHostKeepsTheManifest
            ? !state.A.Writes : state.All.All(host => !host.Writes);
        if (!isDone || !state.IsBusy) return state;
        if (flaw == JobLevelFlaw.OneHostKeepsTheManifest)
            state = state.WithAll(static host => host with { Writes = false });
        byte oldest = (byte)state.Target.Oldest;
        state = state with { Known = state.Target };
        if (state.Publishing > 0)
        {
            return state.WithAll(host => host with { Floor = oldest }) with
            {
                Told = state.Publishing,
                Next = state.Publishing,
                Publishing = 0,
            };
        }

        return state.WithAll(host => host with { CopyFloor = oldest }) with
        {
            Safe = state.Entry,
            Level = LevelStage.Idle,
            Entry = 0,
        };
    }

    private State Begin(State state)
    {
        State next = state.WithAll(host => host with
        {
            Copying = true,
            CopyFloor = flaw == JobLevelFlaw.LetsCopiesGoBeforeTheNewOnesAreListed
                ? state.Next : host.CopyFloor,
        });
        return next with { Level = LevelStage.Copying, Entry = state.Next, Next = 0 };
    }

    private State Copy(State state, int host)
    {
        state = state.With(host, state[host] with { Copying = false });
        int keeper = KeeperOf(host);
        Host kept = state[keeper];
        return state.With(keeper, kept with { Copies = kept.Copies.With(state.Entry) });
    }

    private int KeeperOf(int host) =>
        flaw == JobLevelFlaw.KeepsCopiesOnTheSameHost ? host : (host + 1) % Hosts;

    private State Restart(State state, bool isLoss)
    {
        Manifest newest = state.All.Select(host => host.Disk).MaxBy(disk => disk.Sequence);
        int restored = newest.Listed.Newest;
        while (restored > 0 && !(newest.Listed.Has(restored) && AllHave(state, restored))) restored--;
        restored = Math.Max(0, restored);
        byte fault = (byte)(restored < (isLoss ? 0 : state.Told) ? 1 : restored < state.Safe ? 2 : 0);
        State next = state.WithAll(host => host with
        {
            // Whoever lacked the image has fetched it; copies that are younger are dropped.
            Own = restored > 0 ? host.Own.With(restored) : host.Own,
            Copies = host.Copies.UpTo(restored),
            Disk = host.Disk.Sequence < newest.Sequence && newest.Listed.Bits != 0 ? newest : host.Disk,
            Writes = false,
            Copying = false,
            Floor = 0,
            CopyFloor = 0,
        });
        Set copied = default;
        for (int generation = 1; generation <= restored; generation++)
        {
            if (newest.Listed.Has(generation) && next.All.All(host => host.Copies.Has(generation)))
                copied = copied.With(generation);
        }

        Manifest known = newest with { Listed = newest.Listed.UpTo(restored), Copied = copied };
        return next with
        {
            Known = known,
            Target = known,
            Publishing = 0,
            Level = LevelStage.Idle,
            Entry = 0,
            Next = (byte)(restored > 0 && !copied.Has(restored) ? restored : 0),
            Told = (byte)restored,
            Safe = (byte)Math.Max(0, copied.Newest),
            Fault = fault,
        };
    }

    private bool AllHave(State state, int generation) => Enumerable.Range(0, Hosts).All(
        host => state[host].Own.Has(generation) || state[KeeperOf(host)].Copies.Has(generation));

    /// <summary>The product's rule of which entries stay, on sets.</summary>
    private static class Manifests
    {
        internal static Manifest With(
            Manifest known, int generation, int kept, long[] copying, bool isFlawed)
        {
            JobManifest before = new(Ranks: 1, Sequence: 1,
            [
                .. Enumerable.Range(1, 7).Where(known.Listed.Has).Select(listed => Entry(listed) with
                {
                    Levels = known.Copied.Has(listed) && !isFlawed ? JobLevels.Partner : JobLevels.None,
                }),
            ]);
            Set after = default;
            foreach (JobEntry entry in before.With(Entry(generation), kept, copying).Entries)
                after = after.With((int)entry.Generation);
            return known with { Listed = after };
        }

        private static JobEntry Entry(int generation) => new(generation, generation, default, []);
    }
}
