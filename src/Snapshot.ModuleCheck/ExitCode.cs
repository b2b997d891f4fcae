namespace Snapshot.ModuleCheck;

/// <summary>What the program ends with.</summary>
internal static class ExitCode
{
    /// <summary>Every file keeps the contract.</summary>
    internal const int Kept = 0;

    /// <summary>Some file does not; each reason was printed.</summary>
    internal const int Broken = 1;

    /// <summary>A file could not be read, or the arguments are not understood.</summary>
    internal const int Misuse = 2;
}
