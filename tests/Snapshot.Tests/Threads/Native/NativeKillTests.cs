using System.Diagnostics;
using System.Globalization;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// Kills a program with native threads with SIGKILL at random moments and starts it again, until it comes to
/// its end: what its threads computed are the bits that they compute when nobody stops them.
/// </summary>
public sealed class NativeKillTests(ITestOutputHelper output) : IDisposable
{
    private const int ShortKills = 12;
    private const int EveryMs = 5;

    /// <summary>Lines that a process may live to write: its first, then one for each generation.</summary>
    private const int MostLines = 6;

    private const int StartingMs = 200;
    private const int BetweenLinesMs = 60;

    private const int Rounds = 250;
    private const int Seed = 20261125;
    private const string Kinds = "14";
    private const string FortranKinds = "5";

    private readonly ModuleLibrary _library = new();
    private readonly Random _random = new(Seed);

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["g++", "gfortran"])]
    public void Native_threads_end_in_the_same_bits_however_often_they_are_killed()
    {
        string chaos = _library.Build("chaos", "g++", "-xc++", "chaos.cpp", "-xc", "chaos_registers.c");
        string fortran = _library.Build("chaos_fortran", "gfortran", "chaos.f90");
        string[] modules = [chaos, "chaos", Kinds, fortran, "chaos_fortran", FortranKinds];
        string[] expected = Results(ToTheEnd(modules));

        long begun = Stopwatch.GetTimestamp();
        TimeSpan time = Soak.Time(0);
        int kills = 0, ends = 0;
        do
        {
            using TemporaryStore store = new();
            string[]? lines;
            while ((lines = Live(store, modules)) is null) kills++;
            Assert.Equal(expected, Results(lines));
            ends++;
        }
        while (kills < ShortKills || Stopwatch.GetElapsedTime(begun) < time);
        output.WriteLine(
            $"{kills} kills, {ends} computations that came to their end, {expected.Length} threads");
    }

    public void Dispose() => _library.Dispose();

    private static string[] Results(string[] lines) =>
        [.. lines.Where(line => line.StartsWith("result ", StringComparison.Ordinal))];

    /// <summary>Without checkpoints: what is right.</summary>
    private static string[] ToTheEnd(string[] modules)
    {
        using TemporaryStore store = new();
        using TestProgram program = new(["native", store.Path, "0", Text(Rounds), .. modules]);
        (int exitCode, string text, string error) = program.WaitForEnd();
        Assert.True(exitCode == 0, text + error);
        return text.Split('\n');
    }

    /// <summary>One process, until it has ended or is killed; null when it was killed.</summary>
    private string[]? Live(TemporaryStore store, string[] modules)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        ProcessStartInfo start = new(
            "dotnet", ["exec", program, "native", store.Path, Text(EveryMs), Text(Rounds), .. modules]);
        int lines = _random.Next(MostLines + 1);
        ShortLife life = ShortLife.Of(start, lines, _random.Next(lines == 0 ? StartingMs : BetweenLinesMs));
        Assert.True(life.IsInTime, $"Seed {Seed}: hangs:\n{life.Output}\n{life.Error}");
        if (life.ExitCode is not { } exitCode) return null;
        Assert.True(exitCode == 0, $"Seed {Seed}: exit code {exitCode}\n{life.Output}\n{life.Error}");
        return life.Output.Split('\n');
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
