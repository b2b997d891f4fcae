namespace Snapshot.FiberCheck;

/// <summary>What the program ends with.</summary>
internal static class ExitCode
{
    /// <summary>Every fiber method of the assembly can live in an arena.</summary>
    internal const int Clean = 0;

    /// <summary>Some cannot; each reason was printed.</summary>
    internal const int Refused = 1;

    /// <summary>The assembly could not be judged.</summary>
    internal const int Unreadable = 2;
}
