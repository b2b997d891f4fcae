using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Holds src/Snapshot to its table of rooms.</summary>
public sealed class RoomTests
{
    private static readonly string[] s_imports = ["[LibraryImport", "[DllImport"];

    [Fact]
    public void No_room_uses_another_against_the_table()
    {
        IReadOnlyList<string> forbidden = RoomArrows.Forbidden(Repository.Library);
        Assert.True(forbidden.Count == 0, string.Join('\n', forbidden));
    }

    [Fact]
    public void Every_folder_is_a_room()
    {
        Assert.All(Repository.Library, source => Assert.True(Room.Exists(Room.Of(source.Path)), source.Path));
    }

    [Fact]
    public void System_calls_are_declared_in_Interop_only()
    {
        string[] declaring = [.. Repository.Library
            .Where(source => s_imports.Any(import => source.Text.Contains(import, StringComparison.Ordinal)))
            .Select(source => Room.Of(source.Path)).Distinct()];
        Assert.Equal(["Interop"], declaring);
    }

    [Fact]
    public void A_forbidden_arrow_is_found_wherever_the_type_hides()
    {
        (string, string)[] canary =
        [
            ("Memory/Field.cs",
                "namespace Snapshot.Memory;\nclass Field { internal static Field Make() => new(); }"),
            ("Options.cs", "namespace Snapshot;\npublic sealed class Options { }"),
            (
                "Base/Named.cs",
                "namespace Snapshot.Base;\ninternal sealed class Named { Snapshot.Memory.Field? _field; }"),
            (
                "Image/Inferred.cs",
                "namespace Snapshot.Image;\nclass Inferred\n{\n    void Use() { var a = " +
                "Memory.Field.Make(); }\n}"),
            (
                "Tracking/Upward.cs",
                "namespace Snapshot.Tracking;\nclass Upward { Options? _options; Memory.Field? _allowed; }"),
        ];
        Assert.Equal(
            [
                "Base/Named.cs(2) uses Memory/Field",
                "Image/Inferred.cs(4) uses Memory/Field",
                "Image/Inferred.cs(4) uses Memory/Field.Make",
                "Tracking/Upward.cs(2) uses (root)/Options",
            ],
            RoomArrows.Forbidden(canary));
    }

    [Fact]
    public void Storage_may_make_its_two_calls_and_no_other()
    {
        const string Native = """
            namespace Snapshot.Interop;
            internal static class Native
            {
                internal static int sn_directory_sync() => 0;
                internal static int sn_memory_commit() => 0;
            }
            """;
        const string Store = """
            using Snapshot.Interop;
            namespace Snapshot.Storage;
            internal sealed class Store
            {
                int Allowed() => Native.sn_directory_sync();
                int Forbidden() => Native.sn_memory_commit();
            }
            """;
        (string, string)[] canary = [("Interop/Native.cs", Native), ("Storage/Store.cs", Store)];
        Assert.Equal(
            ["Storage/Store.cs(6) uses Interop/Native.sn_memory_commit"], RoomArrows.Forbidden(canary));
    }
}
