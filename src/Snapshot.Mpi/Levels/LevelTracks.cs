using Snapshot.Mpi.Calls;
using Snapshot.Mpi.Manifest;
using Snapshot.Mpi.Protocol;

namespace Snapshot.Mpi.Levels;

/// <summary>The levels of a job beside the ranks' own stores; none where it has not asked for any.</summary>
internal sealed class LevelTracks(
    RankGroup ranks, IReadOnlyList<ILevel> levels, JobPublication publication, SnapshotStore own,
    MpiJobOptions options) : IDisposable
{
    private readonly LevelTrack[] _tracks =
        [.. levels.Select(level => new LevelTrack(ranks, level, publication, own, options))];

    internal bool AreIdle => _tracks.All(track => track.IsIdle);

    /// <summary>The generations that are on their way to a level.</summary>
    internal IEnumerable<long> Copying => _tracks.Select(track => track.Generation).OfType<long>();

    /// <summary>Where the job was restarted, levels get what they lack of it.</summary>
    internal void GoOnFrom(JobEntry? entry)
    {
        if (entry is null) return;
        for (int i = 0; i < _tracks.Length; i++)
        {
            if ((entry.Levels & levels[i].Flag) == 0) _tracks[i].Consider(entry);
        }
    }

    internal void Published(JobEntry entry)
    {
        foreach (LevelTrack track in _tracks) track.Consider(entry);
    }

    internal void Close(JobEntry newest)
    {
        foreach (LevelTrack track in _tracks) track.Close(newest);
    }

    /// <summary>Does at a poll what can be done without waiting.</summary>
    internal void Advance()
    {
        foreach (LevelTrack track in _tracks) track.Advance();
    }

    /// <summary>Waits until this rank has copied what is being copied.</summary>
    internal void Finish()
    {
        SpinWait wait = default;
        while (_tracks.Any(track => track.IsCopying))
        {
            Advance();
            wait.SpinOnce();
        }
    }

    internal void Say(long[] words)
    {
        for (int i = 0; i < _tracks.Length; i++) words[AgreedWords.FirstLevel + i] = (long)_tracks[i].Say();
    }

    internal void Act(ReadOnlySpan<long> agreed)
    {
        for (int i = 0; i < _tracks.Length; i++)
            _tracks[i].Act((LevelWord)agreed[AgreedWords.FirstLevel + i]);
    }

    public void Dispose()
    {
        foreach (LevelTrack track in _tracks) track.Dispose();
        foreach (ILevel level in levels) level.Dispose();
    }
}
