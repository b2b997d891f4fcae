using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>
/// A job whose manifest is changed: the stores that are here are open for writing meanwhile, so that it
/// cannot run, or start.
/// </summary>
internal sealed class HeldJob : IDisposable
{
    private readonly JobSurvey _job;
    private readonly StoreOptions _options;
    private readonly List<(int Rank, SnapshotStore Store)> _stores = [];

    /// <exception cref="SnapshotException">StoreBusy: the job runs. Corrupt, StoreIo.</exception>
    internal HeldJob(ToolConsole console, JobSurvey job, double wait)
    {
        (_job, _options) = (job, CommandParts.Writing(console, wait));
        try
        {
            foreach (RankSurvey rank in job.Ranks.Concat(job.Copies).Where(rank => rank.IsHere))
                _stores.Add((rank.Rank, SnapshotStore.Open(rank.Directory, _options)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The stores of ranks, and those of copies.</summary>
    internal IReadOnlyList<(int Rank, SnapshotStore Store)> Stores => _stores;

    /// <summary>The generation that is asked for, or all.</summary>
    /// <exception cref="SnapshotException">NotFound.</exception>
    internal static IReadOnlyList<JobEntry> EntriesOf(JobSurvey job, GenerationName asked)
    {
        JobEntry[] entries =
            [.. job.Manifest.Entries.Where(entry => asked.Number is not { } one || entry.Generation == one)];
        return asked.Tag is null && entries.Length > 0 ? entries : throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"The job {job.Places.Directory} has no such generation; 'snapshot list' shows those it has.");
    }

    /// <summary>Says which generation the next restart of a job takes.</summary>
    internal static RollbackResult Rollback(
        ToolConsole console, JobSurvey job, GenerationName chosen, double wait)
    {
        bool isUndone = chosen is { Number: null, Tag: null };
        long restart = isUndone ? 0 : EntriesOf(job, chosen)[0].Generation;
        using HeldJob held = new(console, job, wait);
        held.Write(job.Manifest with { RestartGeneration = restart });
        return new RollbackResult(isUndone ? null : restart, job.Manifest.Newest?.Generation);
    }

    /// <summary>Puts a changed manifest in the place of the one there is.</summary>
    internal void Write(JobManifest changed)
    {
        // Read again, now that nobody else can write it.
        long sequence = JobManifestFile.Read(_job.Places.Directory)!.Sequence;
        if (sequence != _job.Manifest.Sequence)
        {
            throw new SnapshotException(
                SnapshotErrorCode.StoreBusy,
                $"The job {_job.Places.Directory} has published a generation meanwhile. Try again.")
            { Path = _job.Places.ManifestPath };
        }

        JobManifestFile.Write(
            _job.Places.Directory, changed with { Sequence = sequence + 1 }, _options, static _ => { });
    }

    public void Dispose()
    {
        foreach ((_, SnapshotStore store) in _stores) store.Dispose();
    }
}
