using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>What people read keeps to plain words, and to the glossary of ARCHITECTURE.md.</summary>
public sealed class WordTests
{
    private static IEnumerable<string> Read =>
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md"),
        .. Repository.Sources("docs", ".md"),
        .. Repository.Sources("src", ".cs", ".c", ".h", ".md", ".txt", ".props", ".targets", ".csproj"),
        .. Repository.Sources("samples", ".cs", ".md"),
        .. Repository.Sources("bench", ".cs", ".md"),
    ];

    [Fact]
    public void Documents_comments_messages_and_names_use_no_forbidden_words()
    {
        string[] faults =
            [.. Read.SelectMany(
                file => Words.ForbiddenIn(Repository.Relative(file), File.ReadAllText(file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("It fails for want of room.")]
    [InlineData("/// fails for\n    /// want of room")]
    [InlineData("\"fails for want \" +\n    $\"of {what}\"")]
    [InlineData("No memory is to be had.")]
    [InlineData("as things are now")]
    [InlineData("The drain runs beside\nthe application.")]
    [InlineData("It was asked for by name and does not work here.")]
    [InlineData("Hang answers and deletions on `Committed`.")]
    [InlineData("What must wait hangs on this.")]
    [InlineData("after the gate time-out")]
    [InlineData("a kernel module")]
    [InlineData("a write opens a block of\n/// 2 MiB")]
    [InlineData("neither slot of the manifest is valid")]
    [InlineData("snapshot-cc --slot 3")]
    [InlineData("while the keeping of the store goes on")]
    [InlineData("Snapshot.KernelHost.Load(string! path)")]
    public void Each_fault_is_found(string text) => Assert.Single(Words.ForbiddenIn("a.md", text));

    [Theory]
    [InlineData("Roots are found by name.")]
    [InlineData("The kernel lifts the protection.")]
    [InlineData("Owners are known by name, explicitly.")]
    public void Plain_words_pass(string text) => Assert.Empty(Words.ForbiddenIn("a.md", text));

    [Theory]
    [InlineData("README.md", 150)]
    [InlineData("ARCHITECTURE.md", 120)]
    public void What_is_read_first_is_short(string document, int most) =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.Root, document)).Length, 1, most);

    [Fact]
    public void The_glossary_has_at_most_forty_lines()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "ARCHITECTURE.md"));
        int first = Array.IndexOf(lines, "## Glossary");
        int next =
            Array.FindIndex(lines, first + 1, line => line.StartsWith("## ", StringComparison.Ordinal));
        Assert.True(first >= 0 && next - first is > 10 and <= 40, $"{next - first} lines");
    }
}
