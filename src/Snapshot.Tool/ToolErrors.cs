using Snapshot.Tool.Supervision;

namespace Snapshot.Tool;

/// <summary>The one place that turns a failure into an exit code and a sentence.</summary>
internal static class ToolErrors
{
    /// <summary>Null for what only a defect of the tool can cause; that is let through.</summary>
    internal static int? ExitCodeOf(Exception error) => error switch
    {
        SnapshotException { Code: SnapshotErrorCode.StoreBusy } => ExitCode.Busy,
        SnapshotException
        {
            Code: SnapshotErrorCode.Corrupt or SnapshotErrorCode.ChainBroken or
                SnapshotErrorCode.UnsupportedFormat
        } =>
            ExitCode.Damage,
        SnapshotException or IOException or UnauthorizedAccessException => ExitCode.Environment,
        OperationCanceledException => ExitCode.Interrupted,
        CannotStartException start => start.ExitCode,
        _ => null,
    };

    internal static string Describe(Exception error) => error switch
    {
        OperationCanceledException => "interrupted.",
        SnapshotException { Code: SnapshotErrorCode.StoreBusy } busy =>
            $"{busy.Message} Reading commands (list, show, extract, verify) work meanwhile.",
        _ => error.Message,
    };
}
