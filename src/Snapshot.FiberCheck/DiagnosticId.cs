namespace Snapshot.FiberCheck;

/// <summary>The codes of the errors.</summary>
internal static class DiagnosticId
{
    /// <summary>The assembly could not be judged.</summary>
    internal const string Unreadable = "SNAP1000";

    /// <summary>A fiber method keeps a managed reference across an await.</summary>
    internal const string KeepsReference = "SNAP1001";

    /// <summary>The state machines are classes: the assembly was compiled without optimization.</summary>
    internal const string NotOptimized = "SNAP1002";
}
