using System.Reflection;
using System.Runtime.InteropServices;
using Snapshot.TestPrograms.FiberConstructs;
using Snapshot.Tests.Session;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// What fiber methods may use survives: each construct is captured at each of its awaits, its process is
/// killed, and a new one goes on; in the end it has computed what the same source computes as an ordinary
/// async method.
/// </summary>
public sealed class ConstructTests : IDisposable
{
    /// <summary>What stands for fibers when the sources are ordinary methods.</summary>
    private const string Ordinary = """
        namespace Snapshot.TestPrograms.FiberConstructs;

        internal static class Pause
        {
            internal static async ValueTask Here(ArenaPointer<Cell> cell)
            {
                cell.Value.Pauses++;
                await Task.Yield();
            }
        }

        public static class Entry
        {
            public static unsafe void Run(int index, nint cell) =>
                AllConstructs.List[index].Body((Cell*)cell).AsTask().GetAwaiter().GetResult();
        }
        """;

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Every_construct_is_resumed_from_each_of_its_awaits_and_computes_what_plain_CSharp_does()
    {
        string[] expected = Plain();
        int kills = 0;
        List<string> lines;
        while (true)
        {
            using TestProgram program = new("fiber-constructs", _store.Path);
            lines = program.ReadUntil("committed", "end:");
            if (lines[^1] != "committed") break;
            Assert.True(++kills <= 16, "some construct pauses without end");
        }

        // Each process took every fiber one pause further, so there were as many as the longest has pauses.
        Assert.Equal(expected.Max(line => int.Parse(line.Split(' ')[3], null)), kills);
        Assert.Equal(expected.Length + 1, lines.Count);
        string[] wrong = [.. expected.Zip(lines).Where(pair => pair.First != pair.Second)
            .Select(pair =>
                $"{pair.First.Split(' ')[0]}: '{pair.Second}' after {kills} kills, not '{pair.First}'")];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
        Assert.Equal("end: leaked 0", lines[^1]);
    }

    /// <summary>
    /// A line <c>NAME RESULT FINALLYS PAUSES</c> for each construct, computed without fibers.
    /// </summary>
    private static unsafe string[] Plain()
    {
        string[] sources = [.. Repository.Sources("tests/Snapshot.TestPrograms/FiberConstructs", ".cs")
            .Select(
                file => File.ReadAllText(file).Replace("FiberTask", "ValueTask", StringComparison.Ordinal))];
        FiberSnippet plain = new([.. sources, Ordinary]);
        MethodInfo run =
            plain.Assembly.GetType("Snapshot.TestPrograms.FiberConstructs.Entry")!.GetMethod("Run")!;
        string[] lines = new string[AllConstructs.List.Length];
        long* numbers = (long*)NativeMemory.AllocZeroed(3, sizeof(long));
        for (int index = 0; index < lines.Length; index++)
        {
            Cell cell = new() { Numbers = new ArenaArray<long>(numbers, 3) };
            run.Invoke(null, [index, (nint)(&cell)]);
            lines[index] = $"{AllConstructs.List[index].Name} {cell.Result} {cell.Finallys} {cell.Pauses}";
        }

        NativeMemory.Free(numbers);
        return lines;
    }
}
