using System.Text.RegularExpressions;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Form: sizes, names, leftovers, and that documents point at what exists.</summary>
public sealed partial class TidyTests
{
    private static IEnumerable<string> Documents =>
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md"),
        .. Repository.Sources("docs", ".md"),
        .. Repository.Sources("bench", ".md"),
    ];

    [Fact]
    public void Nothing_is_left_lying_about() =>
        AssertNoFaults(["src", "samples", "bench", "tests"], Tidiness.LeftoversOf);

    [Fact]
    public void Files_functions_and_lines_are_short() =>
        AssertNoFaults(["src", "samples", "bench"], Tidiness.ExcessesOf);

    [Theory]
    [InlineData("class A\n{\n\tint _b;\n}\n", "A.cs(3): a tab")]
    [InlineData("int a; \n", "A.cs(1): white space at the end")]
    [InlineData("// TO" + "DO: later\n", "A.cs(1): a reminder of unfinished work")]
    [InlineData("    // int a = b(c);\n", "A.cs(1): code in a comment")]
    [InlineData("    // a = b;\n", "A.cs(1): code in a comment")]
    public void Each_fault_is_found(string text, string fault) =>
        Assert.Equal([fault], Tidiness.LeftoversOf("A.cs", text));

    [Fact]
    public void What_is_too_long_is_found()
    {
        string body = string.Concat(Enumerable.Repeat("    ;\n", Tidiness.FunctionLinesMax));
        Assert.Equal(
            ["A.cs(1): a function of 83 lines, more than 80"],
            Tidiness.ExcessesOf("A.cs", $"void A()\n{{\n{body}}}\n"));
        Assert.Equal(
            ["a.c(2): a function of 82 lines, more than 80"],
            Tidiness.ExcessesOf("a.c", $"void a(void)\n{{\n{body}}}\n"));
        Assert.Equal(["A.cs: 502 lines, more than 500"], Tidiness.ExcessesOf("A.cs", new string('\n', 501)));
        Assert.Equal(
            ["A.cs(1): 111 characters, more than 110"],
            Tidiness.ExcessesOf("A.cs", "//" + new string('a', 109)));
        Assert.Equal(
            ["PageUtils.cs: says nothing about what is in it"], Tidiness.LeftoversOf("PageUtils.cs", ""));
    }

    /// <summary>A row of a table cannot be broken.</summary>
    [Fact]
    public void Lines_of_documents_are_short_but_for_rows_of_tables()
    {
        string[] faults = [.. Documents.SelectMany(document => File.ReadLines(document).Index()
            .Where(line => line.Item.Length > Tidiness.DocumentLineMax && !line.Item.StartsWith('|'))
            .Select(line =>
                $"{Repository.Relative(document)}({line.Index + 1}): {line.Item.Length} characters"))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        string[] broken = [.. Documents.SelectMany(BrokenLinks)];
        Assert.True(broken.Length == 0, string.Join('\n', broken));
    }

    [Fact]
    public void Every_decision_record_is_named_in_another_document()
    {
        Assert.All(Repository.Sources("docs/adr", ".md"), record => Assert.Contains(
            Documents.Where(document => document != record),
            document =>
                File.ReadAllText(document).Contains(Path.GetFileName(record), StringComparison.Ordinal)));
    }

    private static void AssertNoFaults(
        IEnumerable<string> folders, Func<string, string, IEnumerable<string>> check)
    {
        string[] faults = [.. folders
            .SelectMany(folder => Repository.Sources(folder, ".cs", ".c", ".h"))
            .SelectMany(file => check(Repository.Relative(file), File.ReadAllText(file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    private static IEnumerable<string> BrokenLinks(string document)
    {
        foreach (Match link in Link().Matches(File.ReadAllText(document)))
        {
            string target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal)) continue;
            string[] parts = target.Split('#', 2);
            string file = parts[0].Length == 0
                ? document
                : Path.GetFullPath(parts[0], Path.GetDirectoryName(document)!);
            bool found = Path.Exists(file) && (parts.Length == 1 || Anchors(file).Contains(parts[1]));
            if (!found) yield return $"{Repository.Relative(document)}: {target} does not exist";
        }
    }

    /// <summary>The anchors of a document's headings, as renderers of Markdown derive them.</summary>
    private static IEnumerable<string> Anchors(string document) => File.ReadLines(document)
        .Where(line => line.StartsWith('#'))
        .Select(line =>
            NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
