using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// Prints "ready", then the name of each signal that it gets. SIGTERM ends it with exit code 5, the line
/// "end" with 0.
/// </summary>
internal static class SignalTarget
{
    private const int EndedBySignal = 5;

    /// <summary>By number, as .NET takes those it has no name for.</summary>
    private static readonly (int Signal, string Name)[] s_signals =
        [((int)PosixSignal.SIGINT, "SIGINT"), ((int)PosixSignal.SIGTERM, "SIGTERM"), (10, "SIGUSR1"),
            (12, "SIGUSR2")];

    internal static int Run()
    {
        TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        PosixSignalRegistration[] registrations = [.. s_signals.Select(signal =>
            PosixSignalRegistration.Create((PosixSignal)signal.Signal, context =>
            {
                context.Cancel = true;
                Console.WriteLine(signal.Name);
                if (context.Signal == PosixSignal.SIGTERM) end.TrySetResult(EndedBySignal);
            }))];
        Thread reader = new(() =>
        {
            if (Console.ReadLine() == "end") end.TrySetResult(0);
        })
        {
            IsBackground = true,
        };
        reader.Start();
        Console.WriteLine("ready");
        int exitCode = end.Task.GetAwaiter().GetResult();
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        return exitCode;
    }
}
