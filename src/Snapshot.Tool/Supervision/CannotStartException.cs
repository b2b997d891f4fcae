namespace Snapshot.Tool.Supervision;

/// <summary>A program that is not there or cannot be executed; trying again would not help.</summary>
/// <param name="exitCode">What the tool ends with.</param>
/// <param name="message">Which program, why, and what to do.</param>
internal sealed class CannotStartException(int exitCode, string message) : Exception(message)
{
    internal int ExitCode { get; } = exitCode;
}
