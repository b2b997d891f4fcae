using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Bounds the number of files that can be understood only together.</summary>
public sealed class CycleTests
{
    /// <summary>Files that may hold each other.</summary>
    private const int FilesMax = 8;

    [Fact]
    public void No_more_than_eight_files_of_a_room_hold_each_other()
    {
        string[] faults =
        [
            .. RoomCycles.In(Repository.Library)
                .Where(cycle => cycle.Files.Count > FilesMax).Select(cycle => cycle.ToString()),
        ];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void A_cycle_is_found_through_members_and_inferred_types_and_not_across_rooms()
    {
        (string, string)[] canary =
        [
            ("Memory/First.cs",
                "namespace Snapshot.Memory; class First { internal static Second? Next() => null; }"),
            ("Memory/Second.cs",
                "namespace Snapshot.Memory; class Second { void Use() { var a = Third.Next(); } }"),
            ("Memory/Third.cs",
                "namespace Snapshot.Memory; class Third { internal static First Next() => new(); }"),
            ("Memory/User.cs", "namespace Snapshot.Memory; class User { First? _first; }"),
            ("Image/Other.cs", "namespace Snapshot.Image; class Other { Snapshot.Tracking.Back? _back; }"),
            ("Tracking/Back.cs", "namespace Snapshot.Tracking; class Back { Snapshot.Image.Other? _other; }"),
        ];
        RoomCycle cycle = Assert.Single(RoomCycles.In(canary));
        Assert.Equal("Memory: 3 files hold each other: First.cs, Second.cs, Third.cs", cycle.ToString());
    }

    [Fact]
    public void Parts_of_a_type_that_do_not_use_each_other_are_no_cycle()
    {
        (string, string)[] canary =
        [
            ("Interop/Calls.One.cs",
                "namespace Snapshot.Interop; static partial class Calls { static void One() { } }"),
            (
                "Interop/Calls.Two.cs",
                "namespace Snapshot.Interop; static partial class Calls { internal static void Two() => " +
                "User.Use(); }"),
            ("Interop/User.cs",
                "namespace Snapshot.Interop; class User { internal static void Use() => Calls.Two(); }"),
        ];
        RoomCycle cycle = Assert.Single(RoomCycles.In(canary));
        Assert.Equal(["Interop/Calls.Two.cs", "Interop/User.cs"], cycle.Files);
    }
}
