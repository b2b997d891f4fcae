using System.Runtime.InteropServices;

namespace Snapshot.Bench;

/// <summary>
/// What must be done when the program is interrupted (Ctrl-C, a terminal that closes, a kill): children
/// ended, folders deleted. Last registered first; then the program ends.
/// </summary>
internal static class Interruption
{
    private const int Interrupt = 2;

    private static readonly List<Action> s_actions = [];
    private static readonly List<PosixSignalRegistration> s_registrations = [];
    private static bool s_hasBegun;

    /// <summary>From here on signals lead here.</summary>
    internal static void Watch()
    {
        foreach ((PosixSignal signal, int number) in
            ((PosixSignal, int)[])[
                (PosixSignal.SIGINT, Interrupt), (PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1),
            ])
        {
            s_registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                End(128 + number);
            }));
        }
    }

    internal static void Register(Action action)
    {
        lock (s_actions) s_actions.Add(action);
    }

    internal static void Forget(Action action)
    {
        lock (s_actions) s_actions.Remove(action);
    }

    /// <summary>
    /// A program that was started from here and was interrupted, as all in the terminal are: this one ends,
    /// too.
    /// </summary>
    internal static void EndIfInterrupted(int exitCodeOfChild)
    {
        if (exitCodeOfChild == 128 + Interrupt) End(exitCodeOfChild);
    }

    private static void End(int exitCode)
    {
        bool isFirst;
        lock (s_actions)
        {
            isFirst = !s_hasBegun;
            s_hasBegun = true;
            for (int index = s_actions.Count - 1; isFirst && index >= 0; index--) s_actions[index]();
        }

        // Whoever comes second must not go on, and say that what was deleted is not there.
        if (isFirst) Environment.Exit(exitCode);
        Thread.Sleep(Timeout.Infinite);
    }
}
