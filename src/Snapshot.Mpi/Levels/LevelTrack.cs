using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// How published generations come to one level: copied by all ranks, then listed in the manifest. One at a
/// time, beside the next checkpoint; what was published meanwhile is left out but for the newest.
/// </summary>
/// <remarks>
/// Invariant: between two reductions the stage, what is copied and what is next are the same on all ranks:
/// they change by what all have read alike.
/// </remarks>
internal sealed class LevelTrack(
    RankGroup ranks, ILevel level, JobPublication publication, SnapshotStore own, MpiJobOptions options)
    : IDisposable
{
    private LevelStage _stage;
    private JobEntry? _entry;
    private JobEntry? _next;
    private ILevelWork? _work;
    private bool _isDone;

    internal bool IsIdle => _stage == LevelStage.Idle && _next is null;

    internal bool IsCopying => _stage == LevelStage.Copying && !_isDone;

    /// <summary>The generation that is on its way, or null.</summary>
    internal long? Generation => _entry?.Generation;

    /// <summary>A generation is published, or was when the job began and is not at this level.</summary>
    internal void Consider(JobEntry entry)
    {
        if (level.IsDue(entry)) _next = entry;
    }

    /// <summary>The last generation is to be at every level.</summary>
    internal void Close(JobEntry newest)
    {
        if ((newest.Levels & level.Flag) == 0 && _entry?.Generation != newest.Generation) _next = newest;
    }

    internal void Advance()
    {
        if (!IsCopying) return;
        (long before, _) = _work!.Bytes;
        _isDone = _work.Advance();
        if (_work.Bytes.Done != before) Report(isComplete: false, null);
    }

    /// <summary>This rank's word of the next reduction.</summary>
    internal LevelWord Say() => _stage switch
    {
        LevelStage.Copying => !_isDone ? LevelWord.Working
            : _work!.Error is null ? LevelWord.Done : LevelWord.Failed,
        LevelStage.Listing => publication.HasFailed ? LevelWord.Failed
            : publication.IsWritten ? LevelWord.Done : LevelWord.Working,
        _ => LevelWord.Done,
    };

    /// <param name="agreed">The greatest word of all ranks, said in this stage.</param>
    internal void Act(LevelWord agreed)
    {
        switch (Decision.OfLevel(_stage, agreed, publication.IsBusy))
        {
            case LevelAct.List:
                options.AtPoint(JobPoint.Copied);
                publication.List(_entry!.Generation, level.Flag, level.List(_entry));
                _stage = LevelStage.Listing;
                break;
            case LevelAct.End:
                publication.EndListing();
                options.AtPoint(JobPoint.Listed);
                level.Listed(publication.Manifest);
                Leave(null);
                break;
            case LevelAct.GiveUp:
                GiveUp();
                break;
        }

        if (_stage == LevelStage.Idle && _next is not null) Begin();
    }

    public void Dispose() => _work?.Dispose();

    private void Begin()
    {
        (_entry, _next) = (_next, null);

        // A rank that cannot begin would keep others waiting for its messages.
        Exception? failure = ranks.Try(() => _work = level.Copy(_entry!, own));
        _stage = LevelStage.Copying;
        if (failure is not null) Leave(failure);
    }

    private void GiveUp()
    {
        Exception failure = ranks.Try(() =>
        {
            // While it copies, what is being written is another's.
            if (_work!.Error is { } error) throw error;
            if (_stage == LevelStage.Listing) publication.ThrowIfFailed();
        })!;
        if (_stage == LevelStage.Listing)
        {
            publication.GiveUp();
            level.NotListed();
        }

        Leave(failure);
    }

    private void Leave(Exception? failure)
    {
        Report(isComplete: failure is null, failure);
        _work?.Dispose();
        _work = null;
        _isDone = false;
        _entry = null;
        _stage = LevelStage.Idle;
    }

    private void Report(bool isComplete, Exception? failure)
    {
        (long done, long total) = _work?.Bytes ?? default;
        options.CopyProgress?.Report(new JobCopyProgress(
            level.Name, _entry!.Name, done, total, isComplete, failure));
    }
}

/// <summary>
/// How far a generation is on its way to a level; the same on all ranks between two reductions.
/// </summary>
internal enum LevelStage
{
    /// <summary>Nothing is to come.</summary>
    Idle,

    /// <summary>Ranks copy.</summary>
    Copying,

    /// <summary>All have copied, and manifests are written that say so.</summary>
    Listing,
}
