using System.Runtime.Versioning;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// The tests of whole rooms on every machine that can be imitated: passed, or skipped for what is missing
/// there. The sources must lie where any user reads them.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class RoomsTests(ITestOutputHelper output)
{
    private static readonly string[] s_rooms = ["Memory", "Tracking", "Checkpoint", "Restart", "Session",
        "Threads"];

    /// <summary>
    /// Each profile with each room; this machine itself is what every other run of the tests shows.
    /// </summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (Profile profile in Profile.All.Where(one => one != Profile.ThisMachine))
            {
                foreach (string room in s_rooms) cases.Add(profile.Name, room);
            }

            return cases;
        }
    }

    [LongTheory]
    [MemberData(nameof(Cases))]
    public void Every_test_of_a_room_passes_or_is_skipped(string profile, string room)
    {
        ProgramResult run =
            Profile.All.Single(one => one.Name == profile).RunTests($"{nameof(Snapshot)}.Tests.{room}.");
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        output.WriteLine($"| {profile} | {room} | {lines.LastOrDefault()} |");
        Assert.True(
            run.ExitCode == 0,
            string.Join('\n', lines.Where(line => !line.StartsWith("start ", StringComparison.Ordinal)
                && !line.StartsWith("passed ", StringComparison.Ordinal)
                && !line.StartsWith("skipped ", StringComparison.Ordinal))) + run.Error);
    }
}
