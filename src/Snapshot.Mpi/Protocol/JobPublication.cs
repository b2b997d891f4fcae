using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// Makes a generation of the job the one that a restart takes: those ranks that keep a manifest write it, and
/// what older entries alone need goes when all ranks know.
/// </summary>
/// <remarks>
/// <para>A manifest is renamed into its place, so a crash leaves the old or the new one. Both can be
/// restored: no rank lets an image go before it was told that all manifests without it are durable.</para>
/// <para>Invariant: all ranks have the same manifest and sequence between two reductions; one of each host
/// that has a directory of its own writes it there. One change is written at a time.</para>
/// </remarks>
internal sealed class JobPublication
{
    private readonly RankGroup _ranks;
    private readonly JobPlaces _places;
    private readonly StoreOptions _options;
    private readonly RetentionHold _hold;
    private readonly bool _isKeeper;
    private readonly int _kept;
    private readonly Action<JobPoint> _at;

    private JobManifest? _next;
    private Task _writing = Task.CompletedTask;
    private long _generation;
    private long _step;
    private long _sequence;
    private bool _mayHaveAside = true;

    /// <param name="ranks">Of the job.</param>
    /// <param name="places">Where the manifest is.</param>
    /// <param name="options">How many entries stay.</param>
    /// <param name="hold">Keeps what they need in this rank's store.</param>
    /// <param name="isKeeper">Whether this rank writes the manifest.</param>
    /// <param name="start">What the job goes on from.</param>
    internal JobPublication(
        RankGroup ranks, JobPlaces places, MpiJobOptions options, RetentionHold hold, bool isKeeper,
        JobStart start)
    {
        (_ranks, _places, _hold, _isKeeper) = (ranks, places, hold, isKeeper);
        (_options, _kept, _at) = (options.Session.Store, options.Keep, options.AtPoint);
        (Manifest, _sequence, _generation) = (start.Manifest, start.Manifest.Sequence, start.LastGeneration);
    }

    /// <summary>What is published; durable.</summary>
    internal JobManifest Manifest { get; private set; }

    /// <summary>Whether a manifest is being written; the same on all ranks.</summary>
    internal bool IsBusy => _next is not null;

    /// <summary>Whether what this rank writes of it is durable.</summary>
    internal bool IsWritten => _writing.IsCompletedSuccessfully;

    /// <summary>Whether this rank could not write it.</summary>
    internal bool HasFailed => _writing.IsFaulted;

    /// <summary>All ranks have captured. The number is not used again in this run.</summary>
    internal void Begin(long step)
    {
        _generation++;
        _step = step;
    }

    /// <summary>Collective: all ranks learn the ids of all images, and the manifest is written.</summary>
    /// <param name="store">Of this rank.</param>
    /// <param name="local">The generation in it.</param>
    /// <param name="copying">The generations of the job that are being copied.</param>
    internal void Write(SnapshotStore store, long local, IEnumerable<long> copying)
    {
        GenerationInfo mine = store.Generations.Single(committed => committed.Generation == local);
        RankImage[] images = _ranks.Gather(new RankImage(local, mine.ImageId, mine.FileBytes), root: 0);

        // The time is that of rank 0, and all write the same bytes.
        JobEntry entry = new(_generation, _step, DateTimeOffset.UtcNow, images);
        byte[] next = _ranks.Rank == 0 ? Manifest.With(entry, _kept, copying).Encode() : [];
        Write(JobManifest.Decode(_ranks.Broadcast(next, root: 0), _places.ManifestPath), null, _at);
    }

    /// <summary>All ranks have copied a generation to a level: the manifest is to say so.</summary>
    /// <param name="generation">Of the job.</param>
    /// <param name="level">Which.</param>
    /// <param name="before">What rank 0 writes before.</param>
    internal void List(long generation, JobLevels level, Action before) =>
        Write(Manifest.With(generation, level), before, static _ => { });

    /// <summary>Waits for what this rank writes, whatever comes of it.</summary>
    internal void Wait() => Task.WhenAny(_writing).GetAwaiter().GetResult();

    internal void ThrowIfFailed()
    {
        if (_writing.IsFaulted) _writing.GetAwaiter().GetResult();
    }

    /// <summary>All ranks know that it is published: what nobody restarts from may go.</summary>
    internal JobEntry End()
    {
        EndListing();
        _hold.RaiseTo(Manifest.Entries[0].Images[_ranks.Rank].Generation);

        // What was damaged is not needed any more: the job has gone on from a copy.
        if (_mayHaveAside) JobPlaces.DropAside(_places.StoreOf(_ranks.Rank));
        _mayHaveAside = false;
        return Manifest.Newest!;
    }

    /// <summary>All ranks know that it says so.</summary>
    internal void EndListing()
    {
        Manifest = _next!;
        GiveUp();
    }

    internal void GiveUp()
    {
        _next = null;
        _writing = Task.CompletedTask;
    }

    private void Write(JobManifest next, Action? before, Action<JobPoint> at)
    {
        // After a failure nobody knows what is on the disk: no sequence is used twice.
        _next = next with { Sequence = ++_sequence };
        JobManifest written = _next;
        if (_isKeeper)
        {
            _writing = Task.Run(() =>
            {
                if (_ranks.Rank == 0) before?.Invoke();
                JobManifestFile.Write(_places.Directory, written, _options, at);
            });
        }
    }
}
