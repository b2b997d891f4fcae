using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>An editor asks while code is being typed: whatever is there, the analyzer answers.</summary>
public sealed class HalfTypedCodeTests
{
    private const string Members = """
        int _n;
        static FiberTask Forward<T>(T value) => Inner(value);
        static async FiberTask Inner<T>(T value) { Use(value); await Nothing(); }
        async FiberTask<long> M(string name, Box box, int[] all)
        {
            string kept = Name(1); Buffered cells = default; long started = Stopwatch.GetTimestamp();
            int thread = Environment.CurrentManagedThreadId; unsafe { cells.Cells[0] = thread; }
            foreach (var (key, value) in new Dictionary<int, int>()) await Nothing();
            foreach (int x in all) { if (x > 1) continue; await Nothing(); }
            try { UseText(kept ?? "", await Number()); box.Value += await Number(); }
            catch (IOException e) when (e.HResult == 1) { Use(e); await Nothing(); throw; }
            catch { await Nothing(); } finally { await Nothing(); }
            Func<long, FiberTask> start = async n => { _n++; await Inner(n + started); };
            await using (new Closing()) using (MemoryStream stream = new()) await start(await Number());
            var task = Number(); Use(new Box { Value = await task, Name = $"{kept} {await Number()}" });
            await foreach (int x in new Numbers()) Local(x);
            void Local(long by) => _n += (int)by;
            unsafe { Use(cells.Cells[0] + thread); }
            return name is { Length: > 2 } and var same ? same.Length : all[(int)await Number()];
        }
        """;

    [Fact]
    public async Task The_analyzer_never_fails_on_it()
    {
        for (int length = 0; length < Members.Length; length += 19)
        {
            ImmutableArray<Diagnostic> found =
                await Analysis.In(Analysis.Compile(Analysis.Complete(Members[..length])));
            Assert.DoesNotContain(found, diagnostic => diagnostic.Id == "AD0001");
        }
    }

    [Fact]
    public async Task Of_the_whole_every_rule_has_something_to_say()
    {
        ImmutableArray<Diagnostic> found = await Analysis.In(Analysis.Compile(Analysis.Complete(Members)));
        Assert.Equal(
            ["SNAP1101", "SNAP1102", "SNAP1103", "SNAP1104", "SNAP1105", "SNAP1106", "SNAP1107", "SNAP1108"],
            found.Select(diagnostic => diagnostic.Id).Distinct().Order());
    }
}
