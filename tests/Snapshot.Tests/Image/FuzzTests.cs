using System.Diagnostics;
using Snapshot.Fuzz;
using Snapshot.Fuzz.Targets;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// What readers make of bytes that nobody wrote: the inputs of tests/Snapshot.Fuzz/corpus, among them every
/// one that a reader ever failed at, and changes of them. Checksums are right, so that what is met is what is
/// behind them.
/// </summary>
public sealed class FuzzTests
{
    private const int Seed = 20261129;

    /// <summary>Inputs that a test run tries at least, however slow the machine.</summary>
    private const int RoundsMin = 2000;

    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_input_kept_is_read_or_refused(string name)
    {
        FuzzTarget target = FuzzTarget.Find(name)!;
        string[] files = Directory.GetFiles(FolderOf(name));
        Assert.NotEmpty(files);
        foreach (string file in files) Check(target, File.ReadAllBytes(file), Path.GetFileName(file));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Inputs_changed_at_random_are_read_or_refused(string name)
    {
        FuzzTarget target = FuzzTarget.Find(name)!;
        string[] files = Directory.GetFiles(FolderOf(name));
        byte[][] inputs = [.. files.Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        Mutation mutation = new(Seed);
        long started = Stopwatch.GetTimestamp();
        TimeSpan time = Soak.Time(0);
        for (int round = 0; round < RoundsMin || Stopwatch.GetElapsedTime(started) < time; round++)
            Check(target, mutation.Next(inputs), $"round {round} of seed {Seed}");
    }

    [Fact]
    public void The_inputs_kept_begin_with_the_seeds()
    {
        foreach ((string target, string name, byte[] input) in Seeds.All)
            Assert.Equal(input, File.ReadAllBytes(Path.Combine(FolderOf(target), name)));
    }

    [Fact]
    public void What_no_input_may_bring_about_is_told()
    {
        new Faulty(_ => throw new SnapshotException(SnapshotErrorCode.Corrupt, "documented")).Check([]);
        Assert.Throws<SnapshotException>(
            new Faulty(
                _ => throw new SnapshotException(SnapshotErrorCode.Busy, "not documented")).CheckNothing);
        Assert.Throws<OverflowException>(new Faulty(_ => throw new OverflowException()).CheckNothing);
        Assert.Throws<BrokenPromiseException>(new Faulty(_ => GC.KeepAlive(new byte[2 << 20])).CheckNothing);
    }

    private sealed class Faulty(Action<byte[][]> read) : FuzzTarget("faulty", SnapshotErrorCode.Corrupt)
    {
        internal void CheckNothing() => Check([]);

        protected override byte[][] Expand(byte[] input) => [input];

        protected override void Read(byte[][] files) => read(files);
    }

    private static string FolderOf(string target) =>
        Path.Combine(Repository.Root, "tests", "Snapshot.Fuzz", "corpus", target);

    private static void Check(FuzzTarget target, byte[] input, string which)
    {
        try
        {
            target.Check(input);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(
                $"{target.Name}, {which}: {error.Message}\n{Convert.ToBase64String(input)}", error);
        }
    }
}
