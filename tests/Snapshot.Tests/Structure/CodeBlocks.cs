using System.Text.RegularExpressions;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>The C# of a document.</summary>
internal static partial class CodeBlocks
{
    /// <summary>Each block: the line of its fence, what the fence says, the code.</summary>
    internal static TheoryData<int, string, string> Of(string document)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, document));
        TheoryData<int, string, string> blocks = [];
        foreach (Match block in Block().Matches(text))
        {
            int line = 1 + text.AsSpan(0, block.Index).Count('\n');
            blocks.Add(line, block.Groups[1].Value.Trim(), block.Groups[2].Value);
        }

        return blocks;
    }

    [GeneratedRegex("^```csharp([^\\n]*)\\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
