using Snapshot.Tests.Threads.Native;

namespace Snapshot.Tests.Faults;

/// <summary>
/// A program with native threads that is to be killed, and what it computes when nobody does.
/// </summary>
internal sealed class KilledNativeThreads : IDisposable
{
    private const string Rounds = "120";
    private const string Kinds = "14";

    private readonly ModuleLibrary _library = new();
    private readonly string[] _expected;

    private KilledNativeThreads(string folder)
    {
        string module = _library.Build("chaos", "g++", "-xc++", "chaos.cpp", "-xc", "chaos_registers.c");
        string[] modules = [module, "chaos", Kinds];
        Arguments = ["5", Rounds, .. modules];
        using RigProcess program = RigProcess.Start(
            "Snapshot.TestPrograms.dll", rig: false, [],
            ["native", Path.Combine(folder, "expected"), "0", Rounds, .. modules]);
        (int exitCode, List<string> lines) = program.ReadToEnd();
        if (exitCode != 0) throw new InvalidOperationException(program.Error);
        _expected = Results(lines);
    }

    /// <summary>What follows the store on the command line.</summary>
    internal string[] Arguments { get; }

    /// <summary>Null where there is no compiler.</summary>
    internal static KilledNativeThreads? In(string folder) =>
        ModuleWorkshop.Missing("g++") is null ? new KilledNativeThreads(folder) : null;

    internal bool IsRight(List<string> lines) => Results(lines).SequenceEqual(_expected);

    public void Dispose() => _library.Dispose();

    private static string[] Results(List<string> lines) =>
        [.. lines.Where(line => line.StartsWith("result ", StringComparison.Ordinal))];
}
