using System.Text.RegularExpressions;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// Each error code has one meaning, said where it is declared, and something that means it.
/// </summary>
public sealed partial class ErrorCodeTests
{
    private static string Declaration { get; } = "src/Snapshot/Base/SnapshotErrorCode.cs";

    [SourcesFact]
    public void Each_code_is_given_to_an_exception_somewhere_in_the_library()
    {
        string sources = string.Join(
            '\n',
            ((string[])["src/Snapshot", "src/Snapshot.NativeThreads", "src/Snapshot.Mpi"])
                .SelectMany(folder => Repository.Sources(folder, ".cs"))
                .Select(File.ReadAllText));
        Assert.Equal([], Enum.GetNames<SnapshotErrorCode>().Where(name => !IsGiven(name, sources)));
        Assert.False(
            IsGiven("Busy", "when (error.Code == SnapshotErrorCode.Busy) SnapshotErrorCode.Busy => true"));
    }

    [SourcesFact]
    public void Each_code_has_a_number_of_its_own_and_one_sentence_or_two_that_say_what_it_means()
    {
        string[] names = Enum.GetNames<SnapshotErrorCode>();
        Assert.Equal(
            Enumerable.Range(1, names.Length), Enum.GetValues<SnapshotErrorCode>().Select(code => (int)code));
        string text = File.ReadAllText(Path.Combine(Repository.Root, Declaration));
        string[] meanings = [.. Summaries().Matches(text).Skip(1).Select(match => match.Groups[1].Value)];
        Assert.Equal(names.Length, meanings.Length);
        Assert.Equal(names.Length, meanings.Distinct().Count());
        Assert.All(meanings, meaning => Assert.InRange(Sentences().Count(meaning), 1, 2));
    }

    [SourcesFact]
    public void Documents_name_only_codes_that_exist()
    {
        string documents = string.Join(
            '\n',
            Repository.Sources("docs", ".md").Append(Path.Combine(Repository.Root, "README.md"))
                .Select(File.ReadAllText));
        IEnumerable<string> named = NamedCodes().Matches(documents).Select(match => match.Groups[1].Value);
        Assert.NotEmpty(named);
        Assert.Equal([], named.Except(Enum.GetNames<SnapshotErrorCode>()));
    }

    /// <summary>As an argument, and not in a comparison.</summary>
    private static bool IsGiven(string name, string sources) =>
        Regex.IsMatch(sources, $@"SnapshotErrorCode\.{name}\s*(,|:)");

    [GeneratedRegex(@"<summary>(.*?)</summary>", RegexOptions.Singleline)]
    private static partial Regex Summaries();

    [GeneratedRegex(@"\.(\s|$)")]
    private static partial Regex Sentences();

    [GeneratedRegex(@"SnapshotErrorCode\.(\w+)")]
    private static partial Regex NamedCodes();
}
