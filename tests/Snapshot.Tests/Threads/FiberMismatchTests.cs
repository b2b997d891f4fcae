using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using Snapshot.Tests.Session;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>
/// Frames are resumed by the code that made them or not at all; what no frame stands in may be rebuilt.
/// </summary>
public sealed class FiberMismatchTests : IDisposable
{
    private static readonly SemaphoreSlim s_reached = new(0);

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_frame_is_resumed_by_the_assemblies_that_made_it_alone()
    {
        FiberSnippet shapes = Shapes("X, Y"), swapped = Shapes("Y, X");
        FiberSnippet library = Library(shapes, value: 1), rebuilt = Library(shapes, value: 2);
        FiberSnippet without = new(["public static class Other { }"], name: "FiberLibrary");
        string[] originals = [Save(shapes, "1"), Save(library, "1")];
        Begin("stay", originals);

        const string Refusal = "refused: FiberMismatch The fibers in arena 'library' cannot be resumed: " +
            "fiber 1 of 'worker' stands in Entry+<Stay>d__";
        string other = Restart("stay", originals[0], Save(rebuilt, "2"));
        Assert.StartsWith(Refusal, other, StringComparison.Ordinal);
        Assert.Contains("it is of another build (module version ", other, StringComparison.Ordinal);
        Assert.EndsWith("; restart with the binaries that wrote the image.", other, StringComparison.Ordinal);
        Assert.NotEqual(VersionOf(library), VersionOf(rebuilt));

        string missing = Restart("stay", originals[0], Save(without, "3"));
        Assert.StartsWith(Refusal, missing, StringComparison.Ordinal);
        Assert.EndsWith("and this process does not have it.", missing, StringComparison.Ordinal);
        Assert.EndsWith("and this process does not have it.", Restart("stay"), StringComparison.Ordinal);

        // The method itself is the same, but a local of it is a struct of another assembly, which changed.
        string field = Restart("stay", Save(swapped, "4"), originals[1]);
        Assert.StartsWith(Refusal, field, StringComparison.Ordinal);
        Assert.Contains("it is of another build", field, StringComparison.Ordinal);

        Assert.Equal("resumed: 3041", Restart("stay", originals));
    }

    [Fact]
    public void What_no_frame_stands_in_may_be_rebuilt_or_gone()
    {
        FiberSnippet shapes = Shapes("X, Y");
        string[] originals = [Save(shapes, "1"), Save(Library(shapes, value: 1), "1")];
        Begin("warm", originals);

        Assert.Equal("resumed: 100", Restart("warm", originals[0], Save(Library(shapes, value: 2), "2")));
        Assert.Equal("resumed: 100", Restart("warm"));
        Assert.Equal("resumed: 100", Restart("warm", originals));
    }

    [Fact]
    public unsafe void Frames_that_another_build_of_the_library_made_are_refused()
    {
        Guid other = new("00112233-4455-6677-8899-aabbccddeeff");
        Capture(header => header->Library = other);
        SnapshotException error = Refused();
        Assert.Contains(
            $"another build of Snapshot (module version {other}, here ", error.Message,
            StringComparison.Ordinal);
        Assert.Contains("and fiber 1 of 'worker' has not ended", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Records_of_a_version_that_is_not_known_are_refused()
    {
        Capture(header => header->Version = 7);
        Assert.Contains("their records are of version 7", Refused().Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Frames_that_the_runtime_lays_out_otherwise_are_refused_with_what_differs()
    {
        Capture(static header =>
        {
            for (int index = 1; index <= header->TypeCount; index++)
            {
                FrameTypeEntry* entry = header->Types + index;
                string name = Encoding.UTF8.GetString(entry->Text, entry->NameBytes);
                if (!name.Contains("<Stay>", StringComparison.Ordinal)) continue;
                Span<byte> layout = new(entry->Text + entry->NameBytes, entry->LayoutBytes);
                int digit = layout.IndexOf("size "u8) + 5;
                layout[digit] = (byte)(layout[digit] == '9' ? '1' : layout[digit] + 1);
            }
        });
        SnapshotException error = Refused();
        Assert.Contains("fiber 1 of 'worker' stands in ", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "its frame has another layout in this runtime: only in the image: size ", error.Message,
            StringComparison.Ordinal);
        Assert.Contains("; only in this build: size ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Another_build_of_the_library_may_run_new_fibers_where_all_have_ended()
    {
        using (SnapshotSession session = SnapshotSession.Open(_store.Path))
        {
            Arena arena = session.OpenArena("fibers");
            ArenaPointer<long> go = arena.RootPointer<long>("go");
            go.Value = 1;
            session.RunFibers("worker", arena, () => Fiber.Start(go, static g => Stay(g)));
            Header(arena)->Library = Guid.Empty;
            session.RequestCheckpoint().WaitCommittedInThread();
        }

        using SnapshotSession restarted = SnapshotSession.Open(_store.Path);
        Arena again = restarted.OpenArena("fibers");
        ArenaPointer<long> result = again.RootPointer<long>("go");
        Assert.Equal(2, result.Value);
        restarted.RunFibers("worker", again, static () => Assert.Fail("a worker's name is run once"));
        restarted.RunFibers("next", again, () => Fiber.Start(result, static g => Stay(g)));
        Assert.Equal(3, result.Value);
        Assert.Equal(typeof(SnapshotSession).Module.ModuleVersionId, Header(again)->Library);
    }

    private static unsafe FiberSpaceHeader* Header(Arena arena) =>
        arena.RootPointer<FiberSpaceHeader>(FiberSpace.RootName);

    private static FiberSnippet Shapes(string fields) => new(
        [$"public struct Shape {{ public int {fields}; }}"], name: "FiberShapes");

    private static FiberSnippet Library(FiberSnippet shapes, int value) => new(
        [$$"""
        public static class Entry
        {
            public static Action Reached = static () => { };

            public static async FiberTask Warm() => await Fiber.Yield();

            public static async FiberTask Stay(ArenaPointer<long> go)
            {
                Shape kept = new() { X = 3, Y = 4 };
                Reached();
                while (go.Value == 0) await Fiber.Yield();
                go.Value = kept.X * 1000 + kept.Y * 10 + {{value}};
            }
        }
        """],
        name: "FiberLibrary", references: shapes);

    private static async FiberTask Stay(ArenaPointer<long> go)
    {
        s_reached.Release();
        while (go.Value == 0) await Fiber.Yield();
        go.Value++;
    }

    private static Guid VersionOf(FiberSnippet snippet)
    {
        using PEReader reader = new(new MemoryStream(snippet.Image));
        MetadataReader metadata = reader.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }

    private string Save(FiberSnippet snippet, string folder)
    {
        snippet.AssertCompiles();
        string path = _store.File(Path.Combine(folder, $"{snippet.Name}.dll"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, snippet.Image);
        return path;
    }

    /// <summary>A process that is killed when it has taken its checkpoint.</summary>
    private void Begin(string mode, params string[] assemblies)
    {
        using TestProgram program = new(["fiber-library", _store.Path, mode, .. assemblies]);
        program.ReadUntil("committed");
    }

    private string Restart(string mode, params string[] assemblies)
    {
        using TestProgram program = new(["fiber-library", _store.Path, mode, .. assemblies]);
        return program.ReadUntil("resumed:", "refused:")[^1];
    }

    /// <summary>An image with a fiber that waits, after the table was changed.</summary>
    private unsafe void Capture(Edit edit)
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("fibers");
        ArenaPointer<long> go = arena.RootPointer<long>("go");
        using CancellationTokenSource stop = new();
        Thread worker = new(() => Assert.Throws<OperationCanceledException>(() => session.RunFibers(
            "worker", arena, () => Fiber.Start(go, static g => Stay(g)), cancellation: stop.Token)));
        worker.Start();
        s_reached.Wait();
        edit(Header(arena));
        session.RequestCheckpoint().WaitCommittedInThread();
        stop.Cancel();
        worker.Join();
    }

    private SnapshotException Refused()
    {
        using SnapshotSession session = SnapshotSession.Open(_store.Path);
        Arena arena = session.OpenArena("fibers");
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => session.RunFibers("worker", arena, static () => Assert.Fail("it has fibers")));
        Assert.Equal(SnapshotErrorCode.FiberMismatch, error.Code);
        Assert.StartsWith(
            "The fibers in arena 'fibers' cannot be resumed: ", error.Message, StringComparison.Ordinal);
        return error;
    }

    private unsafe delegate void Edit(FiberSpaceHeader* header);
}
