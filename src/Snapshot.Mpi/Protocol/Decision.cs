using Snapshot.Mpi.Levels;

namespace Snapshot.Mpi.Protocol;

/// <summary>How far the job's newest checkpoint is; the same on all ranks between two reductions.</summary>
internal enum JobStage
{
    /// <summary>Nothing is to come.</summary>
    Idle,

    /// <summary>All ranks have captured; images are being written.</summary>
    Draining,

    /// <summary>All images are durable; rank 0 writes the manifest.</summary>
    Publishing,
}

/// <summary>What all ranks do next.</summary>
internal enum JobAct
{
    /// <summary>Go on.</summary>
    None,

    /// <summary>Capture, at this step.</summary>
    Cut,

    /// <summary>Send the images' ids to rank 0, which writes the manifest.</summary>
    Publish,

    /// <summary>The generation is published: tell handlers, and let older ones go.</summary>
    Announce,

    /// <summary>The checkpoint is given up: what was written of it is in no manifest.</summary>
    GiveUp,
}

/// <summary>What all ranks do next with a generation on its way to a level.</summary>
internal enum LevelAct
{
    /// <summary>Go on.</summary>
    None,

    /// <summary>All have copied it: manifests are written that say so.</summary>
    List,

    /// <summary>They are durable: older copies may go.</summary>
    End,

    /// <summary>A rank could not copy it; the next generation is tried anew.</summary>
    GiveUp,
}

/// <summary>
/// The one decision of the protocol: a function of what all ranks have read alike, so that all do the same
/// without asking again. JobProtocolModelTests explores it with crashes at any point.
/// </summary>
internal static class Decision
{
    /// <param name="stage">Of the newest checkpoint.</param>
    /// <param name="agreed">What the last reduction gave, of which the words were said in this stage.</param>
    /// <param name="isBusy">Whether manifests are being written for a level; known to all alike.</param>
    internal static JobAct Of(JobStage stage, ReadOnlySpan<long> agreed, bool isBusy = false)
    {
        if (stage == JobStage.Idle) return agreed[AgreedWords.Request] > 0 ? JobAct.Cut : JobAct.None;
        if (agreed[AgreedWords.Failed] > 0) return JobAct.GiveUp;
        if (stage == JobStage.Publishing)
            return agreed[AgreedWords.Unpublished] > 0 ? JobAct.None : JobAct.Announce;
        return agreed[AgreedWords.Undrained] > 0 || isBusy ? JobAct.None : JobAct.Publish;
    }

    /// <summary>What comes next of a generation on its way to a level.</summary>
    /// <param name="stage">How far it is.</param>
    /// <param name="agreed">The greatest word of all ranks, said in this stage.</param>
    /// <param name="isBusy">Whether manifests are being written, for whatever.</param>
    internal static LevelAct OfLevel(LevelStage stage, LevelWord agreed, bool isBusy)
    {
        if (stage == LevelStage.Idle || agreed == LevelWord.Working) return LevelAct.None;
        if (agreed == LevelWord.Failed) return LevelAct.GiveUp;
        if (stage == LevelStage.Listing) return LevelAct.End;
        return isBusy ? LevelAct.None : LevelAct.List;
    }
}
