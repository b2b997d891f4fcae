using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;

namespace Snapshot.Mpi.Protocol;

/// <summary>
/// Makes a generation of the job the one that a restart takes: rank 0 writes the manifest, and what older
/// entries alone need goes when all ranks know.
/// </summary>
/// <remarks>
/// The manifest is renamed into its place, so a crash leaves the old or the new one. Both can be restored:
/// no rank lets an image go before it was told that the manifest without it is durable.
/// </remarks>
internal sealed class JobPublication
{
    private readonly RankGroup _ranks;
    private readonly JobPlaces _places;
    private readonly StoreOptions _options;
    private readonly RetentionHold _hold;
    private readonly int _kept;
    private readonly Action<JobPoint> _at;

    // The local numbers of the images of the entries that stay, the oldest first; every rank has its own.
    private readonly Queue<long> _mine = [];
    private JobManifest _manifest;
    private JobManifest? _next;
    private Task _writing = Task.CompletedTask;
    private long _generation;
    private long _step;
    private long _local;
    private long _sequence;
    private bool _isWriting;

    internal JobPublication(
        RankGroup ranks, JobPlaces places, MpiJobOptions options, RetentionHold hold, JobManifest manifest)
    {
        (_ranks, _places, _hold) = (ranks, places, hold);
        (_options, _kept, _at) = (options.Session.Store, options.Keep, options.AtPoint);
        _manifest = manifest;
        _sequence = manifest.Sequence;
        _generation = manifest.Newest?.Generation ?? 0;
        foreach (JobEntry entry in manifest.Entries) _mine.Enqueue(entry.Images[ranks.Rank].Generation);
    }

    /// <summary>Whether the manifest with the generation is on the disk; known to rank 0.</summary>
    internal bool IsDurable => _isWriting && _ranks.Rank == 0 && _writing.IsCompletedSuccessfully;

    /// <summary>Whether it could not be written; known to rank 0.</summary>
    internal bool HasFailed => _isWriting && _writing.IsFaulted;

    /// <summary>All ranks have captured. The number is not used again in this run.</summary>
    internal void Begin(long step)
    {
        _generation++;
        _step = step;
    }

    /// <summary>Collective: rank 0 gets the ids of all images, and begins to write.</summary>
    internal void Write(SnapshotStore store, long local)
    {
        GenerationInfo mine = store.Generations.Single(committed => committed.Generation == local);
        _local = local;
        RankImage[] images = _ranks.Gather(new RankImage(local, mine.ImageId, mine.FileBytes), root: 0);
        _isWriting = true;
        if (_ranks.Rank != 0) return;

        // After a failure nobody knows what is on the disk: no sequence is used twice.
        JobEntry entry = new(_generation, _step, DateTimeOffset.UtcNow, images);
        _next = _manifest.With(entry, _kept) with { Sequence = ++_sequence };
        _writing = Task.Run(() => JobManifestFile.Write(_places.Directory, _next, _options, _at));
    }

    /// <summary>Waits for the manifest where this rank writes it, whatever comes of it.</summary>
    internal void Wait() => Task.WhenAny(_writing).GetAwaiter().GetResult();

    internal void ThrowIfFailed()
    {
        if (_writing.IsFaulted) _writing.GetAwaiter().GetResult();
    }

    /// <summary>All ranks know that it is published: what nobody restarts from may go.</summary>
    internal JobGeneration End()
    {
        if (_next is not null) _manifest = _next;
        GiveUp();
        _mine.Enqueue(_local);
        while (_mine.Count > _kept) _mine.Dequeue();
        _hold.RaiseTo(_mine.Peek());
        return new JobGeneration(_generation, _step);
    }

    internal void GiveUp()
    {
        _next = null;
        _writing = Task.CompletedTask;
        _isWriting = false;
    }
}
