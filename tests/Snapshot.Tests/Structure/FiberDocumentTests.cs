using System.Reflection;
using Microsoft.CodeAnalysis;
using Snapshot.Tests.Threads;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>The examples of docs/FIBERS.md compile, and what it says is refused is refused.</summary>
public sealed class FiberDocumentTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "docs/FIBERS.md"));

    /// <summary>Each block: the line of its fence, what the fence says, the code.</summary>
    public static TheoryData<int, string, string> Blocks() => CodeBlocks.Of("docs/FIBERS.md");

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Each_example_does_what_the_document_says(int line, string mark, string code)
    {
        bool isProgram = mark == "program";
        FiberSnippet snippet = new(
            [code], kind: isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
            usesLibrary: !isProgram);
        string[] words = mark.Split(' ');
        if (words is ["refused", ['C', 'S', ..] code1])
        {
            Assert.True(
                snippet.Errors.Any(error => error.Id == code1),
                $"line {line}: not {code1}, but {string.Join('\n', snippet.Errors)}");
            return;
        }

        Assert.True(snippet.Errors.Count == 0, $"line {line}: {string.Join('\n', snippet.Errors)}");
        if (words is ["refused", var expected]) AssertRefusedWhenCalled(snippet, line, expected);
        else
            Assert.All(
                Machines(snippet), type => Assert.True(HoldsNoReference(type), $"line {line}: {type}"));
    }

    [Fact]
    public void Every_diagnostic_is_in_the_document() => Assert.All(
        ["SNAP1001", "SNAP1002", .. Enumerable.Range(1101, 10).Select(number => $"SNAP{number}")],
        id => Assert.Contains(id, s_text, StringComparison.Ordinal));

    private static void AssertRefusedWhenCalled(FiberSnippet snippet, int line, string expected)
    {
        Type owner = snippet.Assembly.GetTypes().First(type => type.GetMethod("Refused", Any) is not null);
        Exception? thrown = snippet.Call(owner.FullName!, "Refused");
        Assert.True(
            thrown is InvalidOperationException &&
            thrown.Message.StartsWith(expected, StringComparison.Ordinal),
            $"line {line}: not {expected}, but {thrown}");
    }

    private const BindingFlags Any =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static IEnumerable<Type> Machines(
        FiberSnippet snippet) => snippet.Assembly.GetTypes().Where(type =>
        type.GetField("<>t__builder", Any) is { } builder
        && builder.FieldType.Name.StartsWith("FiberTaskBuilder", StringComparison.Ordinal));

    private static bool HoldsNoReference(Type type)
    {
        if (!type.IsValueType) return type.IsPointer;
        return type.IsPrimitive || type.IsEnum
            || type.GetFields(Any).Where(field => !field.IsStatic).All(
                field => HoldsNoReference(field.FieldType));
    }
}
