namespace Snapshot.FiberCheck;

/// <summary>Says what a refused field is in the source, and what to write instead.</summary>
internal static class Explanation
{
    private const string Unmanaged =
        "an unmanaged value (ArenaPointer<T>, ArenaArray<T>, a struct, an index)";

    private const string AwaitAfterTry =
        "Note in an unmanaged local what happened, and await after the try statement.";

    /// <summary>The words for one field: what it is, and a sentence of advice.</summary>
    internal static string Of(HoistedField field, HeldReference reference, TemporaryKind kind)
    {
        string type = $"of type {field.Type.Name}{reference.Words}";
        return field.Role switch
        {
            FieldRole.Local or FieldRole.Parameter when reference.Type is ParameterType parameter =>
                $"{(field.Role == FieldRole.Local ? "local" : "parameter")} '{field.Name}' {type}. " +
                $"Constrain it: where {parameter.Name} : unmanaged.",
            FieldRole.Local when IsException(field.Type) => $"local '{field.Name}' {type}. {AwaitAfterTry}",
            FieldRole.Local =>
                $"local '{field.Name}' {type}. Keep {Unmanaged} instead, or end its use before the await.",
            FieldRole.Parameter =>
                $"parameter '{field.Name}' {type}. A parameter that is used at all is kept to the end: " +
                $"pass {Unmanaged} instead.",
            FieldRole.This =>
                $"'this' {type}. Make it static and pass {Unmanaged} instead of the object.",
            FieldRole.Captured =>
                $"captured {Variables(field)}. Make it static and pass {Unmanaged} as its argument.",
            FieldRole.CapturedByLambda =>
                $"{Variables(field)} captured by a lambda or local function inside. Make that static and " +
                "pass arguments, or end its use before the await.",
            FieldRole.Awaiter => $"an awaiter {type}. Await what Snapshot offers for fibers.",
            FieldRole.Builder => $"its builder {type}.",
            _ => $"compiler temporary {type} [{field.FieldName}], {Temporary(kind)}",
        };
    }

    private static string Temporary(TemporaryKind kind) => kind switch
    {
        TemporaryKind.Foreach =>
            "what a foreach goes through. Await outside the foreach, or loop over an index, an " +
            "ArenaArray<T> or an enumerator that is an unmanaged struct.",
        TemporaryKind.Using => "what a using disposes of. Dispose of it before the await.",
        TemporaryKind.Exception =>
            $"an exception kept for an await in catch or finally, or by await using. {AwaitAfterTry}",
        _ => "a value computed before an await in the same expression. Await first, into a local.",
    };

    private static bool IsException(FieldType type) =>
        type is NamedType { IsStruct: false } && type.Name.EndsWith("Exception", StringComparison.Ordinal);

    private static string Variables(HoistedField field)
    {
        if (field.Name is not { } names) return "variables";
        return names.Contains(',', StringComparison.Ordinal) ? $"variables {names}" : $"variable {names}";
    }
}
