using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Snapshot.Tests.Structure;

/// <summary>
/// The layout of a single statement under <c>if</c>, <c>for</c> and their like, which dotnet format leaves
/// open: on the same line where both fit into one, else on the next line.
/// </summary>
internal static class StatementLayout
{
    /// <summary>The faults of a file, one line each.</summary>
    internal static IEnumerable<string> FaultsOf(string path, string text)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Preview));
        foreach (StatementSyntax statement in tree.GetRoot().DescendantNodes().OfType<StatementSyntax>())
        {
            if (!IsSingle(statement)) continue;
            SyntaxToken before = statement.GetFirstToken().GetPreviousToken();
            TextSpan gap = TextSpan.FromBounds(before.Span.End, statement.SpanStart);
            string between = text[gap.Start..gap.End];
            if (between.Trim().Length > 0) continue; // a comment

            TextSpan head = TextSpan.FromBounds(statement.Parent!.SpanStart, before.Span.End);
            bool fits = IsSimple(statement) && IsOnOneLine(tree, head) && IsOnOneLine(tree, statement.Span) &&
                tree.GetLineSpan(head).EndLinePosition.Character + 1 + WithRestOfLine(tree, statement)
                    <= Tidiness.CodeLineMax;
            if (fits != between.Contains('\n')) continue;
            int line = tree.GetLineSpan(statement.Span).StartLinePosition.Line + 1;
            yield return fits
                ? $"{path}({line}): the statement fits on the line before"
                : $"{path}({line}): the statement belongs on a line of its own";
        }
    }

    /// <summary>Rows of using, fixed and else if are one statement with several heads.</summary>
    private static bool IsSingle(StatementSyntax statement) => (statement, statement.Parent) switch
    {
        (BlockSyntax or EmptyStatementSyntax, _) => false,
        (IfStatementSyntax, ElseClauseSyntax) => false,
        (UsingStatementSyntax, UsingStatementSyntax) or (FixedStatementSyntax, FixedStatementSyntax) => false,
        (_, IfStatementSyntax or ElseClauseSyntax or WhileStatementSyntax or ForStatementSyntax) => true,
        (_, CommonForEachStatementSyntax or UsingStatementSyntax or LockStatementSyntax) => true,
        (_, FixedStatementSyntax) => true,
        _ => false,
    };

    private static bool IsSimple(StatementSyntax statement) =>
        statement is ExpressionStatementSyntax or ReturnStatementSyntax or ThrowStatementSyntax or
            BreakStatementSyntax or ContinueStatementSyntax or YieldStatementSyntax or GotoStatementSyntax;

    private static bool IsOnOneLine(SyntaxTree tree, TextSpan span)
    {
        FileLinePositionSpan lines = tree.GetLineSpan(span);
        return lines.StartLinePosition.Line == lines.EndLinePosition.Line;
    }

    /// <summary>A comment behind the statement stays behind it.</summary>
    private static int WithRestOfLine(SyntaxTree tree, StatementSyntax statement) =>
        tree.GetText().Lines.GetLineFromPosition(statement.SpanStart).End - statement.SpanStart;
}
