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

/// <summary>
/// The one decision of the protocol: a function of what all ranks have read alike, so that all do the same
/// without asking again. JobProtocolModelTests explores it with crashes at any point.
/// </summary>
internal static class Decision
{
    /// <param name="stage">Of the newest checkpoint.</param>
    /// <param name="agreed">What the last reduction gave, of which the words were said in this stage.</param>
    internal static JobAct Of(JobStage stage, ReadOnlySpan<long> agreed)
    {
        if (stage == JobStage.Idle) return agreed[AgreedWords.Request] > 0 ? JobAct.Cut : JobAct.None;
        if (agreed[AgreedWords.Failed] > 0) return JobAct.GiveUp;
        if (stage == JobStage.Publishing)
            return agreed[AgreedWords.Published] > 0 ? JobAct.Announce : JobAct.None;
        return agreed[AgreedWords.Undrained] > 0 ? JobAct.None : JobAct.Publish;
    }
}
