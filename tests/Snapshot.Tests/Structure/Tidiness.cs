using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Snapshot.Tests.Structure;

/// <summary>The rules of form that a machine can check, as functions from one file to its faults.</summary>
internal static partial class Tidiness
{
    internal const int FileLinesMax = 500;
    internal const int FunctionLinesMax = 80;
    internal const int CodeLineMax = 110;
    internal const int DocumentLineMax = 120;

    /// <summary>What is wrong with any file: leftovers and names.</summary>
    internal static IEnumerable<string> LeftoversOf(string path, string text)
    {
        string[] lines = text.Split('\n');
        if (VagueName().IsMatch(Path.GetFileName(path)))
            yield return $"{path}: says nothing about what is in it";
        for (int index = 0; index < lines.Length; index++)
        {
            if (LeftoverOf(lines[index]) is { } fault) yield return $"{path}({index + 1}): {fault}";
        }
    }

    /// <summary>What is too long in a file that people read to learn how the library works.</summary>
    internal static IEnumerable<string> ExcessesOf(string path, string text)
    {
        string[] lines = text.Split('\n');
        if (lines.Length > FileLinesMax)
            yield return $"{path}: {lines.Length} lines, more than {FileLinesMax}";
        for (int index = 0; index < lines.Length; index++)
        {
            if (lines[index].Length <= CodeLineMax) continue;
            yield return $"{path}({index + 1}): {lines[index].Length} characters, more than {CodeLineMax}";
        }

        bool isCSharp = path.EndsWith(".cs", StringComparison.Ordinal);
        foreach ((int line, int length) in isCSharp ? CSharpFunctions(text) : CFunctions(lines))
        {
            if (length <= FunctionLinesMax) continue;
            yield return $"{path}({line}): a function of {length} lines, more than {FunctionLinesMax}";
        }
    }

    private static string? LeftoverOf(string line)
    {
        if (line.Contains('\t', StringComparison.Ordinal)) return "a tab";
        if (line.EndsWith(' ') || line.EndsWith('\r')) return "white space at the end";
        if (Reminder().IsMatch(line)) return "a reminder of unfinished work";
        if (CodeInComment().IsMatch(line)) return "code in a comment";
        return null;
    }

    private static IEnumerable<(int Line, int Length)> CSharpFunctions(string text)
    {
        SyntaxNode root =
            CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot();
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            if (node is not (BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or
                LocalFunctionStatementSyntax))
                continue;
            FileLinePositionSpan span = node.GetLocation().GetLineSpan();
            yield return (span.StartLinePosition.Line + 1,
                span.EndLinePosition.Line - span.StartLinePosition.Line + 1);
        }
    }

    /// <summary>
    /// A function in C, as written here, is what stands between a brace in the first column and its end.
    /// </summary>
    private static IEnumerable<(int Line, int Length)> CFunctions(string[] lines)
    {
        int start = -1;
        for (int index = 0; index < lines.Length; index++)
        {
            if (lines[index] == "{") start = index;
            if (lines[index] != "}" || start < 0) continue;
            yield return (start + 1, index - start + 1);
            start = -1;
        }
    }

    [GeneratedRegex("Utils?|Helpers?|Misc|Common", RegexOptions.IgnoreCase)]
    private static partial Regex VagueName();

    // Written with a gap, so that this file passes its own rule.
    [GeneratedRegex("\\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\\b")]
    private static partial Regex Reminder();

    /// <summary>
    /// A line comment that ends as only code does. Layouts and call sequences belong in <c>///</c> remarks.
    /// </summary>
    [GeneratedRegex("^\\s*//(?!/).*(\\);|\\{|\\w;|^\\s*//\\s*\\})$")]
    private static partial Regex CodeInComment();
}
