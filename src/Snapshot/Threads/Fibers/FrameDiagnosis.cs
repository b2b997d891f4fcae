using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Which state machines cannot live in an arena, and what in the user's code is the reason.
/// </summary>
/// <remarks>
/// The names of hoisted variables are the compiler's: <c>name</c> a parameter, <c>&lt;&gt;4__this</c> this,
/// <c>&lt;name&gt;5__2</c> a local, <c>&lt;&gt;7__wrap1</c> a temporary, <c>&lt;&gt;8__1</c> a closure. The
/// build's check says the same with file and line; this is what is left where it did not run.
/// </remarks>
internal static class FrameDiagnosis
{
    private const BindingFlags AllFields =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private const string Method = "fiber method ";

    /// <summary>
    /// A constant for the compiler of a state machine: nothing is left of it where the answer is no.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsRefused<TStateMachine>() =>
        !typeof(TStateMachine).IsValueType || RuntimeHelpers.IsReferenceOrContainsReferences<TStateMachine>();

    [DoesNotReturn]
    internal static void Throw<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>() =>
        throw new InvalidOperationException(Describe(typeof(TStateMachine)));

    /// <summary>The name of the method alone, or for a lambda or local function the words for it.</summary>
    internal static string MethodOf(Type machine)
    {
        string subject = SubjectOf(machine);
        return subject.StartsWith(Method, StringComparison.Ordinal) ? subject[Method.Length..] : subject;
    }

    /// <summary>
    /// What a state machine was made of, as a user would name it: <c>&lt;M&gt;d__0</c>, or for a lambda
    /// <c>&lt;&lt;M&gt;b__0_0&gt;d</c>, or for a local function <c>&lt;&lt;M&gt;g__Name|0_0&gt;d</c>.
    /// </summary>
    private static string SubjectOf(Type machine)
    {
        string name = machine.Name[1..Math.Max(1, machine.Name.LastIndexOf('>'))];
        string owner = machine.DeclaringType is { } type ? NameOf(type) + '.' : "";
        int end = name.IndexOf('>', StringComparison.Ordinal);
        if (end < 0) return $"{Method}{owner}{name}";
        string method = owner + name[1..end];
        int bar = name.IndexOf('|', StringComparison.Ordinal);
        return bar > end + 4
            ? $"fiber local function {name[(end + 4)..bar]} in {method}" : $"fiber lambda in {method}";
    }

    private static string Describe([DynamicallyAccessedMembers(FrameLayout.Members)] Type machine)
    {
        string subject = SubjectOf(machine);
        if (!machine.IsValueType)
        {
            return $"SNAP1002: {subject} was compiled without optimization, so its frame is a managed " +
                "object, which cannot live in an arena. Set <Optimize>true</Optimize> for this " +
                "configuration; debugging works with it.";
        }

        StringBuilder text = new();
        text.Append("SNAP1001: ").Append(subject)
            .Append(" keeps managed references across an await, so its frame cannot live in an arena:");
        foreach (FieldInfo field in machine.GetFields(AllFields))
        {
            if (ReferenceIn(field.FieldType) is not { } way) continue;
            text.Append("\n  - ").Append(WordsFor(field));
            if (IsClosure(field.FieldType)) continue;
            text.Append(" (").Append(NameOf(field.FieldType)).Append(')');
            if (way.Length > 0) text.Append(", whose field ").Append(way).Append(" is a reference");
        }

        text.Append(
            "\nUse unmanaged values (ArenaPointer<T>, ArenaArray<T>, structs, indices), or end the use of ")
            .Append("the reference before the await.");
        return text.ToString();
    }

    private static string WordsFor(FieldInfo field)
    {
        string name = field.Name;
        if (IsClosure(field.FieldType)) return CapturedBy(field.FieldType);
        if (name == "<>4__this") return "'this'";
        if (name.StartsWith("<>", StringComparison.Ordinal))
        {
            return "a temporary of the compiler (the enumerator of a foreach, the object of a using, the " +
                "exception kept for an await in a catch or finally, or part of an expression)";
        }

        int end = name.IndexOf('>', StringComparison.Ordinal);
        return name.StartsWith('<') && end > 1 ? $"local '{name[1..end]}'" : $"parameter '{name}'";
    }

    /// <summary>
    /// Whether it is a class that the compiler made for variables that a lambda or local function uses.
    /// </summary>
    private static bool IsClosure(Type type) =>
        type.Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal);

    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "A field that was trimmed shortens a message.")]
    private static string CapturedBy(Type closure) => "captured variables: " + string.Join(
        ", ", closure.GetFields(AllFields).Select(field => field.Name.StartsWith('<')
            ? $"'this' ({NameOf(field.FieldType)})"
            : $"'{field.Name}' ({NameOf(field.FieldType)})"));

    /// <summary>
    /// Null when a value of the type holds no reference, empty when it is one, else the way to the first one
    /// in it.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "A field that was trimmed shortens a message.")]
    private static string? ReferenceIn(Type type)
    {
        if (!type.IsValueType) return type.IsPointer || type.IsFunctionPointer ? null : "";
        if (type.IsPrimitive || type.IsEnum) return null;
        foreach (FieldInfo field in type.GetFields(AllFields))
        {
            if (ReferenceIn(field.FieldType) is not { } way) continue;
            return way.Length == 0 ? $"'{field.Name}'" : $"'{field.Name}', in it {way},";
        }

        return null;
    }

    private static string NameOf(Type type)
    {
        if (type.IsArray)
            return $"{NameOf(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        string name = type.Name.Split('`')[0];
        if (name.StartsWith("<>c", StringComparison.Ordinal))
            return type.DeclaringType is { } o ? NameOf(o) : "";
        if (!type.IsGenericType) return name;
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
    }
}
