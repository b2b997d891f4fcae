using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>Source text, compiled against the library as a user's would be.</summary>
internal sealed class FiberSnippet
{
    /// <summary>What the SDK gives each project that has implicit usings.</summary>
    private const string SdkUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;

        """;

    private const string LibraryUsings = "global using Snapshot; global using Snapshot.Fibers;";

    private static readonly CSharpParseOptions s_parse = new(LanguageVersion.Latest);

    private static readonly MetadataReference[] s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
            .Where(path => !Path.GetFileName(path).StartsWith("Snapshot.", StringComparison.Ordinal))
            .Append(typeof(SnapshotSession).Assembly.Location)
            .Append(typeof(NativeThreads.NativeHost).Assembly.Location)
            .Append(typeof(Snapshot.Mpi.MpiJob).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path))];

    private readonly string[] _sources;
    private readonly Lazy<Assembly> _assembly;

    /// <summary>Compiles it; what is wrong with it is asked for afterwards.</summary>
    internal FiberSnippet(
        string[] sources, bool optimizes = true, string? name = null,
        OutputKind kind = OutputKind.DynamicallyLinkedLibrary, bool allowsUnsafe = true,
        bool usesLibrary = true,
        params IEnumerable<FiberSnippet> references)
    {
        _sources = sources;
        Name = name ?? $"Snippet{Guid.NewGuid():N}";
        CSharpCompilation compilation = CSharpCompilation.Create(
            Name,
            [.. sources.Prepend(usesLibrary ? SdkUsings + LibraryUsings : SdkUsings).Select(text =>
                CSharpSyntaxTree.ParseText(
                    SourceText.From(text, Encoding.UTF8), s_parse, text.GetHashCode() + ".cs"))],
            [.. s_references, .. references.Select(other => MetadataReference.CreateFromImage(other.Image))],
            new CSharpCompilationOptions(
                kind,
                optimizationLevel: optimizes ? OptimizationLevel.Release : OptimizationLevel.Debug,
                allowUnsafe: allowsUnsafe,
                nullableContextOptions: NullableContextOptions.Enable));
        using MemoryStream image = new();
        EmitResult result = compilation.Emit(image);
        Image = image.ToArray();
        Errors = [.. result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error)];
        Warnings = [.. result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Warning)];
        _assembly = new Lazy<Assembly>(() =>
        {
            AssertCompiles();
            return new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(new MemoryStream(Image));
        });
    }

    internal FiberSnippet(string source, bool optimizes = true)
        : this([source], optimizes)
    {
    }

    /// <summary>The assembly's.</summary>
    internal string Name { get; }

    internal IReadOnlyList<Diagnostic> Errors { get; }

    internal IReadOnlyList<Diagnostic> Warnings { get; }

    /// <summary>The compiled assembly.</summary>
    internal byte[] Image { get; }

    /// <summary>The same, loaded.</summary>
    internal Assembly Assembly => _assembly.Value;

    internal void AssertCompiles() => Assert.True(
        Errors.Count == 0, $"{string.Join('\n', Errors)}\nin\n{string.Join("\n----\n", _sources)}");

    /// <summary>The text that an error marks.</summary>
    internal static string Marked(Diagnostic error) =>
        error.Location.SourceTree!.GetText().ToString(error.Location.SourceSpan);

    /// <summary>
    /// Calls a static method, or one of a new object, with default arguments; gives what it throws.
    /// </summary>
    internal Exception? Call(string type, string method, params Type[] typeArguments)
    {
        Type owner = Assembly.GetType(type, throwOnError: true)!;
        const BindingFlags Any =
            BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        MethodInfo target = owner.GetMethod(method, Any)
            ?? throw new ArgumentException($"no method {method} in {type}", nameof(method));
        if (typeArguments.Length > 0) target = target.MakeGenericMethod(typeArguments);
        object? instance = target.IsStatic ? null : Activator.CreateInstance(owner);
        object?[] arguments = [.. target.GetParameters().Select(
            parameter => parameter.ParameterType.IsValueType
            ? Activator.CreateInstance(parameter.ParameterType)
            : null)];
        try
        {
            target.Invoke(instance, arguments);
            return null;
        }
        catch (TargetInvocationException error)
        {
            return error.InnerException;
        }
    }
}
