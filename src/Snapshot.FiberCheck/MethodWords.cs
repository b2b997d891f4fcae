using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>Names a fiber method as its author would.</summary>
/// <remarks>
/// The name of a state machine is the method's between <c>&lt;</c> and <c>&gt;d</c>. A lambda's method is
/// called <c>&lt;Around&gt;b__0_0</c>, a local function's <c>&lt;Around&gt;g__Name|0_0</c>; Around may be
/// such a name again.
/// </remarks>
internal static class MethodWords
{
    /// <summary>
    /// For example <c>fiber method 'Simulation.Run'</c> or <c>fiber lambda in 'Simulation.Run'</c>.
    /// </summary>
    internal static string Of(MetadataReader reader, TypeDefinitionHandle stateMachine)
    {
        TypeDefinition definition = reader.GetTypeDefinition(stateMachine);
        string method = Inner(reader.GetString(definition.Name));
        string type = TypeName.Of(reader, Written(reader, definition.GetDeclaringType()));

        string kind = "fiber method";
        string? function = null;
        while (method.StartsWith('<'))
        {
            string tail = method[(method.LastIndexOf('>') + 1)..];
            if (tail.StartsWith("g__", StringComparison.Ordinal)) function ??= tail[3..].Split('|')[0];
            if (kind == "fiber method") kind = function is null ? "fiber lambda" : "fiber local function";
            method = Inner(method);
        }

        // The compiler writes '-' for the dots of constructors and of explicit implementations.
        method = method[(method.LastIndexOf('-') + 1)..];
        string place = method is "ctor" or "cctor" ? $"'{type}'" : $"'{type}.{method}'";
        if (kind == "fiber method") return $"{kind} {place}";
        return kind == "fiber lambda" ? $"{kind} in {place}" : $"{kind} '{function}' in {place}";
    }

    /// <summary>What stands between the first <c>&lt;</c> and its partner.</summary>
    private static string Inner(string name)
    {
        int end = name.LastIndexOf('>');
        return name.StartsWith('<') && end > 0 ? name[1..end] : name;
    }

    /// <summary>The type that the author wrote: closures and the holder of lambdas are inside it.</summary>
    private static TypeDefinitionHandle Written(MetadataReader reader, TypeDefinitionHandle type)
    {
        while (true)
        {
            TypeDefinition definition = reader.GetTypeDefinition(type);
            if (!reader.GetString(definition.Name).StartsWith('<') || !definition.IsNested) return type;
            type = definition.GetDeclaringType();
        }
    }
}
