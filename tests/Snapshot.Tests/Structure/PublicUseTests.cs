using System.ComponentModel;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Snapshot.Tests.Threads;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Nothing is public that nobody outside of the library uses.</summary>
/// <remarks>
/// A use is in compiled code that is not of the library: samples, the command, benches, programs of tests,
/// tests, and the code of documents. Where a document says how to use something, as <c>Type.Member</c>, that
/// is a use, too. Compiled code has no reference to constants and members of enumerations, so for these it is
/// their name in a source, for the latter also in one of the library, which gives them out. Not asked for:
/// what a base type or interface demands, operators, and types for the compiler alone.
/// </remarks>
public sealed partial class PublicUseTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string[] s_users =
    [
        "HeatDiffusion", "KillDemo", "NBody", "NativeSolvers", "Snapshot.Tool", "Snapshot.Bench",
        "Snapshot.FiberProgram", "Snapshot.TestPrograms", "Snapshot.Tests",
    ];

    private static readonly string[] s_sources = ["samples", "bench", "tests", "src/Snapshot.Tool"];

    private static readonly string[] s_documents =
        ["README.md", "docs/GUIDE.md", "docs/FIBERS.md", "docs/NATIVE.md"];

    [Fact]
    public void Everything_public_is_used_by_somebody()
    {
        Users users = new(
            [
                .. s_users.Select(user => Path.Combine(AppContext.BaseDirectory, user + ".dll"))
                    .SelectMany(file => MemberUses.In([.. File.ReadAllBytes(file)])),
                .. s_documents.SelectMany(UsesIn),
            ],
            [.. NamesIn([Path.Combine(Repository.Root, "README.md"), .. Repository.Sources("docs", ".md")])],
            [.. s_sources.SelectMany(folder => NamesIn(Repository.Sources(folder, ".cs")))],
            [.. NamesIn(Repository.Sources("src/Snapshot", ".cs"))]);
        string[] unused =
        [
            .. new[] { typeof(SnapshotSession), typeof(NativeThreads.NativeHost) }
                .SelectMany(type => type.Assembly.GetExportedTypes())
                .SelectMany(type => Unused(type, users)),
        ];
        Assert.True(unused.Length == 0, "Nobody uses:\n" + string.Join('\n', unused));
    }

    [Fact]
    public void What_nobody_uses_is_found()
    {
        FiberSnippet snippet = new(
            "class User { static long Sum(Arena a, Arena b) => a.Capacity + b.BaseAddress; }");
        Users users = new([.. MemberUses.In([.. snippet.Image])], ["Arena.Roots"], ["BlockEncoding.Lz4"], []);
        string[] unused = [.. Unused(typeof(Arena), users)];
        Assert.Contains("Snapshot.Arena: System.String Name", unused);
        Assert.Contains("Snapshot.Arena: Void Free(Void*)", unused);
        Assert.All(["Capacity", "BaseAddress", "Roots", "get_Name"], used => Assert.DoesNotContain(
            unused, text => text.EndsWith(used, StringComparison.Ordinal)));
        Assert.Equal(
            ["Auto", "None", "ShuffleLz4"],
            Unused(typeof(BlockEncoding), users).Select(text => text.Split(' ')[^1]).Order());
        Assert.NotEmpty(Unused(typeof(ICheckpointHandler), users));
    }

    /// <param name="Uses">In compiled code.</param>
    /// <param name="Documented">What documents name.</param>
    /// <param name="Named">What users' sources name.</param>
    /// <param name="Given">What the library's own sources name.</param>
    private sealed record Users(
        HashSet<MemberUse> Uses, HashSet<string> Documented, HashSet<string> Named, HashSet<string> Given);

    private static IEnumerable<string> Unused(Type type, Users users)
    {
        if (IsForCompiler(type) || type.Name.Contains('<', StringComparison.Ordinal)) yield break;
        string shortName = type.Name.Split('`')[0];
        foreach (MemberInfo member in type.GetMembers(Declared))
        {
            string text = $"{shortName}.{member.Name}";
            bool isUsed = member switch
            {
                _ when IsForCompiler(member) || users.Documented.Contains(text) => true,
                PropertyInfo property => Refers($"get_{property.Name}") || Refers($"set_{property.Name}"),
                EventInfo happening => Refers($"add_{happening.Name}"),
                FieldInfo { IsLiteral: true } =>
                    users.Named.Contains(text) || (type.IsEnum && users.Given.Contains(text)),
                MethodBase method => IsDemanded(method) || (type.IsInterface && Refers(""))
                    || users.Uses.Contains(
                        new MemberUse(type.FullName!, method.Name, method.GetParameters().Length)),
                _ => true,
            };
            if (!isUsed) yield return $"{type.FullName}: {member}";
        }

        bool Refers(string name) => users.Uses.Any(use => use.Type == type.FullName && use.Name == name);
    }

    /// <summary>Accessors go with their property, operators with their type.</summary>
    private static bool IsDemanded(MethodBase method) =>
        (method.IsSpecialName && !method.IsConstructor)
        || (method is MethodInfo { IsVirtual: true } overriding
            && (overriding.GetBaseDefinition() != overriding || method.DeclaringType!.GetInterfaces()
                .SelectMany(contract => contract.GetMethods()).Any(
                    demanded => demanded.Name == method.Name)));

    private static bool IsForCompiler(MemberInfo member) =>
        member.GetCustomAttribute<EditorBrowsableAttribute>() is { State: EditorBrowsableState.Never };

    /// <summary>
    /// What the code of a document uses, as far as it compiles as it stands or in a session.
    /// </summary>
    private static IEnumerable<MemberUse> UsesIn(string document) => CodeBlocks.Of(document)
        .Select(block => (string)block[2])
        .Select(code => Compiled(code, OutputKind.ConsoleApplication)
            ?? Compiled(code, OutputKind.DynamicallyLinkedLibrary)
            ?? Compiled(GuideTests.Around + code, OutputKind.ConsoleApplication))
        .OfType<FiberSnippet>()
        .SelectMany(snippet => MemberUses.In([.. snippet.Image]));

    private static FiberSnippet? Compiled(string code, OutputKind kind)
    {
        FiberSnippet snippet = new([code], kind: kind);
        return snippet.Errors.Count == 0 ? snippet : null;
    }

    /// <summary>Every <c>Type.Member</c> in sources and in the code of documents.</summary>
    private static IEnumerable<string> NamesIn(IEnumerable<string> files) => files
        .SelectMany(file => Path.GetExtension(file) == ".md"
            ? Code().Matches(File.ReadAllText(file)).Select(code => code.Value)
            : [File.ReadAllText(file)])
        .SelectMany(text => Name().Matches(text))
        .Select(name => $"{name.Groups[1].Value}.{name.Groups[2].Value}");

    [GeneratedRegex(@"^```csharp.*?^```|`[^`\n]+`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\b([A-Z]\w*)(?:<\w+>)?\.([A-Z]\w*)")]
    private static partial Regex Name();
}
