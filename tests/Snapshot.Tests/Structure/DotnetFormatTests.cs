using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// One layout of C#: what dotnet format makes of it by the file .editorconfig, and one of single statements.
/// </summary>
public sealed class DotnetFormatTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-format-");

    [Fact]
    public void The_sources_are_laid_out_as_dotnet_format_would()
    {
        ProgramResult result = Check(
            Repository.Root, ["--include", "src/", "samples/", "bench/", "tests/", "--exclude", "**/obj/**"]);
        Assert.True(result.ExitCode == 0, $"dotnet format whitespace would change: {result}");
    }

    [Theory]
    [InlineData("class A\n{\n    int _b;\n}\n", 0)]
    [InlineData("class A\n{\n  int _b;\n}\n", 2)]
    public void Another_layout_is_found(string text, int exitCode)
    {
        File.Copy(
            Path.Combine(Repository.Root, ".editorconfig"), Path.Combine(_folder.FullName, ".editorconfig"));
        File.WriteAllText(Path.Combine(_folder.FullName, "A.cs"), text);
        ProgramResult result = Check(_folder.FullName, []);
        Assert.True(result.ExitCode == exitCode, result.ToString());
        string found = exitCode == 0 ? "" : "A.cs(3,3): error WHITESPACE";
        Assert.Contains(found, result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_statement_is_on_the_line_of_its_head_where_it_fits()
    {
        string[] faults =
        [
            .. Repository.Sources("src", ".cs"), .. Repository.Sources("samples", ".cs"),
            .. Repository.Sources("bench", ".cs"), .. Repository.Sources("tests", ".cs"),
        ];
        Assert.NotEmpty(faults);
        faults = [.. faults.SelectMany(file =>
            StatementLayout.FaultsOf(Repository.Relative(file), File.ReadAllText(file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("if (a)\n    return;", "A.cs(2): the statement fits on the line before")]
    [InlineData("foreach (int a in b)\n    c(a);", "A.cs(2): the statement fits on the line before")]
    [InlineData("if (a) return;\nelse\n    b();", "A.cs(3): the statement fits on the line before")]
    [InlineData("if (a &&\n    b) return;", "A.cs(2): the statement belongs on a line of its own")]
    [InlineData("if (a) return b(\n    c);", "A.cs(1): the statement belongs on a line of its own")]
    [InlineData("if (a) while (b) c();", "A.cs(1): the statement belongs on a line of its own")]
    public void Each_other_layout_of_a_single_statement_is_found(string text, string fault) =>
        Assert.Equal([fault], StatementLayout.FaultsOf("A.cs", text));

    [Theory]
    [InlineData("if (a) return;")]
    [InlineData("if (a)\n    return b(\n        c);")]
    [InlineData("if (a) // why\n    return;")]
    [InlineData("if (a) return;\nelse if (b) return;")]
    [InlineData("using (a)\nusing (b)\n    c(\n        d);")]
    public void The_layout_of_a_single_statement_passes(string text) =>
        Assert.Empty(StatementLayout.FaultsOf("A.cs", text));

    public void Dispose() => _folder.Delete(recursive: true);

    private static ProgramResult Check(string folder, string[] arguments) => Repository.Run(
        folder, "dotnet", ["format", "whitespace", "--folder", ".", "--verify-no-changes", .. arguments]);
}
