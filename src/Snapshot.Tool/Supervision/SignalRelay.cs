using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.Tool.Supervision;

/// <summary>
/// Takes signals in place of the tool and passes them on to the program, if one runs. SIGINT and SIGTERM also
/// end supervision: from then on no program is started. SIGUSR1 and SIGUSR2, by which batch systems announce
/// the end of their patience, are only passed on.
/// </summary>
internal sealed class SignalRelay : IDisposable
{
    /// <summary>
    /// No program is started while a signal is taken, so each one either sees it or is not started.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;
    private Process? _program;
    private bool _isDisposed;

    internal SignalRelay() => _registrations =
    [
        Take(PosixSignal.SIGINT, ProcessSignal.Interrupt, ends: true),
        Take(PosixSignal.SIGTERM, ProcessSignal.Terminate, ends: true),
        Take((PosixSignal)ProcessSignal.User1, ProcessSignal.User1, ends: false),
        Take((PosixSignal)ProcessSignal.User2, ProcessSignal.User2, ends: false),
    ];

    /// <summary>The first signal that ended supervision, or null.</summary>
    internal int? Stop { get; private set; }

    /// <summary>Cancelled when <see cref="Stop"/> is set.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>Runs the program to its end.</summary>
    /// <returns>Its exit code, or null when it was not started because supervision had ended.</returns>
    internal int? Run(ProcessStartInfo start)
    {
        lock (_gate)
        {
            if (Stop is not null) return null;
            _program = Process.Start(start)!;
        }

        _program.WaitForExit();
        lock (_gate)
        {
            using Process ended = _program;
            _program = null;
            return ended.ExitCode;
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();

        // A signal that came just before may still be on its way here.
        lock (_gate)
        {
            _isDisposed = true;
            _stopping.Dispose();
        }
    }

    private PosixSignalRegistration Take(PosixSignal signal, int number, bool ends) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            lock (_gate)
            {
                if (_isDisposed) return;
                bool hasIt = number == ProcessSignal.Interrupt && IsForeground();
                if (!hasIt && _program is { HasExited: false } program)
                    ProcessSignal.Send(program.Id, number);
                if (!ends) return;
                Stop ??= number;
                _stopping.Cancel();
            }
        });

    /// <summary>
    /// Whether Ctrl-C reaches this process and the program alike: they are one process group, and it is that
    /// in the foreground of the terminal. Sent on, the program would take it for a second one, which often
    /// means "at once".
    /// </summary>
    private static bool IsForeground()
    {
        // After the name in parentheses: state, parent, group, session, terminal, group in its foreground.
        string status = File.ReadAllText("/proc/self/stat");
        string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
        return int.Parse(fields[2], CultureInfo.InvariantCulture) == int.Parse(
            fields[5], CultureInfo.InvariantCulture);
    }
}
