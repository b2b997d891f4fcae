using Snapshot.C;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>Messages of the .NET library in the words of C.</summary>
public sealed class MessageTests
{
    private static readonly string[] s_sources =
        [.. Repository.Sources("src/Snapshot", ".cs"), .. Repository.Sources("src/Snapshot.Mpi", ".cs")];

    public static TheoryData<string, string> Phrases()
    {
        TheoryData<string, string> rows = [];
        foreach ((string net, string c) in CWords.Phrases) rows.Add(net, c);
        return rows;
    }

    [Theory]
    [MemberData(nameof(Phrases))]
    public void Each_phrase_is_said_and_what_takes_its_place_is_in_the_header(string net, string c)
    {
        // A phrase may be cut where a line of the source ends, or be made by nameof.
        Assert.Contains(
            s_sources, file => Joined(File.ReadAllText(file)).Contains(net, StringComparison.Ordinal));
        string header = string.Concat(((string[])["snapshot.h", "snapshot_job.h"]).Select(
            name => File.ReadAllText(Path.Combine(LibraryWorkshop.Headers, name))));
        foreach (string word in c.Split(' ', '.', '\''))
        {
            if (word.StartsWith("snapshot_", StringComparison.OrdinalIgnoreCase))
                Assert.Contains(word, header, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_message_says_what_to_do_in_C() => Assert.Equal(
        "Array 'u' is too large: set snapshot_options.capacity.",
        CWords.In("Root 'u' is too large: set ArenaOptions.Capacity."));

    private static string Joined(string source) => System.Text.RegularExpressions.Regex.Replace(
        System.Text.RegularExpressions.Regex.Replace(source, "\" \\+\\s+\\$?\"", ""),
        @"\{nameof\((?:\w+\.)?(\w+)\)\}", "$1");
}
