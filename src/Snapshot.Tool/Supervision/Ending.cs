namespace Snapshot.Tool.Supervision;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">
/// Its exit code, or 128 + n when signal n ended it: .NET tells no more, so a process that itself ends with
/// such a code is taken for one that a signal ended. Shells and batch systems take it so, too.
/// </param>
internal readonly record struct Ending(int ExitCode)
{
    private const int SignalBase = 128;
    private const int SignalMax = 64;
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Terminate = 15;

    /// <summary>By number, from 1.</summary>
    private static readonly string[] s_names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
        "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];

    internal bool IsWell => ExitCode == 0;

    /// <summary>The name of the signal that ended it, or null.</summary>
    internal string? Signal => SignalNumber switch
    {
        null => null,
        { } number when number <= s_names.Length => $"SIG{s_names[number - 1]}",
        { } number => $"signal {number}",
    };

    /// <summary>In words, to follow "attempt N".</summary>
    internal string Words => Signal is { } signal ? $"was ended by {signal}"
        : IsWell ? "ended well"
        : $"ended with exit code {ExitCode}";

    private int? SignalNumber => ExitCode - SignalBase is > 0 and <= SignalMax and int number ? number : null;

    /// <summary>Whether the program died, so that the command starts it again.</summary>
    /// <param name="onlySignals">Whether an exit code of its own is its last word.</param>
    internal bool IsDeath(bool onlySignals) => SignalNumber switch
    {
        // Somebody asked it to end, and would not want to ask again.
        Hangup or Interrupt or Terminate => false,
        not null => true,

        // That is how a shell, env and setpriv say that they could not start what they were to start.
        null => !onlySignals && ExitCode is not (0 or Tool.ExitCode.NotExecutable or Tool.ExitCode.NoProgram),
    };

    internal static Ending OfSignal(int number) => new(SignalBase + number);
}
