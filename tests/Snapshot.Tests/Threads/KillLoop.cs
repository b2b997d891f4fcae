using System.Diagnostics;
using System.Globalization;
using Snapshot.Tests.Session;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Threads;

/// <summary>
/// Kills Snapshot.FiberProgram with SIGKILL at random moments and starts it again, until it comes to its end,
/// which must be as if nobody had killed it.
/// </summary>
internal sealed class KillLoop(int seed, int steps, params string[][] builds)
{
    private const int ShortKills = 12;

    /// <summary>Lines that a process may live to write: its first, then one for each generation.</summary>
    private const int MostLines = 5;

    private const int StartingMs = 150;
    private const int BetweenLinesMs = 25;
    private const int ToTheEnd = int.MaxValue;

    private readonly Random _random = new(seed);
    private int _kills;

    /// <summary>A dozen kills, or as many as fit into SNAPSHOT_SOAK_SECONDS.</summary>
    /// <param name="output">Told how many there were.</param>
    /// <param name="arguments">For the program.</param>
    internal void Run(ITestOutputHelper output, params string[] arguments)
    {
        long begun = Stopwatch.GetTimestamp();
        TimeSpan time = Soak.Time(0);
        int ends = 0;
        do
        {
            RunOnce(arguments);
            ends++;
        }
        while (_kills < ShortKills || Stopwatch.GetElapsedTime(begun) < time);
        output.WriteLine($"{_kills} kills, {ends} computations that came to their end");
    }

    /// <summary>
    /// From the beginning of the work to its end; afterwards everything stands as it ended.
    /// </summary>
    private void RunOnce(string[] arguments)
    {
        using TemporaryStore store = new();
        string[] all = ["run", store.Path, "--steps", Text(steps), .. arguments];
        while (!Ends(Chosen(), all, _random.Next(MostLines + 1)))
        {
        }

        Ends(Chosen(), all, ToTheEnd);
    }

    private string[] Chosen() => builds[_random.Next(builds.Length)];

    /// <summary>Runs a process until it has written so many lines, and a random moment longer.</summary>
    /// <returns>False when it was killed then.</returns>
    private bool Ends(string[] build, string[] arguments, int lines)
    {
        int programSeed = _random.Next();
        ProcessStartInfo start = new(build[0], [.. build[1..], .. arguments, "--seed", Text(programSeed)]);
        ShortLife life = ShortLife.Of(
            start, lines, lines == ToTheEnd
                ? (int)ShortLife.Hang.TotalMilliseconds
                : _random.Next(lines == 0 ? StartingMs : BetweenLinesMs));
        bool hasEnded = life.ExitCode is not null;
        if (!hasEnded) _kills++;
        string all = life.Output + life.Error;
        Assert.True(
            hasEnded || (life.IsInTime && lines != ToTheEnd), $"Seed {seed}: {build[^1]} hangs:\n{all}");
        bool isRight = !all.Contains("wrong", StringComparison.Ordinal)
            && !all.Contains("Unhandled", StringComparison.Ordinal)
            && (!hasEnded || (life.ExitCode == 0 && all.Contains("\nok: ", StringComparison.Ordinal)));
        Assert.True(
            isRight,
            $"Seed {seed} (of the program: {programSeed}), after {_kills} kills, {build[^1]}, exit code " +
                $"{(life.ExitCode is { } code ? Text(code) : "none")}:\n{all}");
        return hasEnded;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
