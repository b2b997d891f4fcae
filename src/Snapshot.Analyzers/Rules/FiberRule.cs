using Microsoft.CodeAnalysis;

namespace Snapshot.Analyzers.Rules;

/// <summary>One thing that may be wrong with a fiber method.</summary>
internal abstract class FiberRule
{
    internal const string Category = "Snapshot.Fibers";

    internal abstract DiagnosticDescriptor Descriptor { get; }

    /// <summary>Reports where a method breaks the rule.</summary>
    internal abstract void Check(FiberMethod fiber, Action<Diagnostic> report);

    /// <summary>Source as a message quotes it: on one line, and not all of a long one.</summary>
    protected internal static string Quote(SyntaxNode syntax)
    {
        const int Longest = 60;
        string[] words = syntax.ToString().Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
        string text = string.Join(" ", words);
        return text.Length <= Longest ? text : text.Substring(0, Longest - 3) + "...";
    }
}
