using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Describes where the runtime put the fields of a state machine, so that two processes can compare.
/// </summary>
/// <remarks>
/// <para>State machines have automatic layout: the module fixes which fields there are, the runtime where. A
/// line a field: offset, size, type, name. The fields of a field's type are not listed; their module is
/// compared.</para>
/// <para>An offset is found by setting one field of a zeroed value to all ones and looking for the byte that
/// changed, which needs public interfaces only and works ahead of time as well as just in time.</para>
/// </remarks>
internal static class FrameLayout
{
    /// <summary>What trimming must keep of a state machine.</summary>
    internal const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    private const BindingFlags AllFields =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The fields of a state machine, in the order of its module.</summary>
    internal static FieldInfo[] FieldsOf([DynamicallyAccessedMembers(Members)] Type machine) =>
        machine.GetFields(AllFields);

    /// <summary>The layout of a state machine that holds no references.</summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2072", Justification = "Only zeroed memory of a value type is made.")]
    internal static string Describe<[DynamicallyAccessedMembers(Members)] TStateMachine>()
    {
        Type type = typeof(TStateMachine);
        List<(int Offset, string Line)> lines = [];
        foreach (FieldInfo field in FieldsOf(type))
        {
            int size = SizeOf(field.FieldType);
            int offset = OffsetOf(type, field, size);
            lines.Add((offset, string.Create(
                CultureInfo.InvariantCulture, $"{offset} {size} {NameOf(field.FieldType)} {field.Name}")));
        }

        lines.Sort((left, right) => left.Offset.CompareTo(right.Offset));
        string first = string.Create(CultureInfo.InvariantCulture, $"size {Unsafe.SizeOf<TStateMachine>()}");
        return string.Join('\n', lines.Select(line => line.Line).Prepend(first));
    }

    /// <summary>What differs, in lines; both are results of <see cref="Describe"/>.</summary>
    internal static string Difference(string saved, string current)
    {
        string[] then = saved.Split('\n');
        string[] now = current.Split('\n');
        return $"only in the image: {string.Join(", ", then.Except(now))}; " +
            $"only in this build: {string.Join(", ", now.Except(then))}";
    }

    [UnconditionalSuppressMessage(
        "Trimming", "IL2067", Justification = "Only zeroed memory of a value type is made.")]
    private static int OffsetOf(Type machine, FieldInfo field, int size)
    {
        object holder = RuntimeHelpers.GetUninitializedObject(machine);
        field.SetValue(holder, AllOnes(field.FieldType, size));
        ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpan(
            ref DataOf(holder), RuntimeHelpers.SizeOf(machine.TypeHandle));
        return bytes.IndexOfAnyExcept((byte)0);
    }

    [UnconditionalSuppressMessage(
        "Trimming", "IL2067", Justification = "Only zeroed memory of a value type is made.")]
    private static unsafe object AllOnes(Type type, int size)
    {
        if (type.IsPointer) return Pointer.Box((void*)-1, type);
        if (type.IsFunctionPointer) return (nint)(-1);
        Type content = Nullable.GetUnderlyingType(type) ?? type;
        object value = RuntimeHelpers.GetUninitializedObject(content);
        MemoryMarshal.CreateSpan(ref DataOf(value), Math.Min(size, SizeOf(content))).Fill(0xFF);
        return value;
    }

    private static int SizeOf(Type type) => RuntimeHelpers.SizeOf(type.TypeHandle);

    /// <summary>The first byte of a boxed value: it follows the object's one header word.</summary>
    private static ref byte DataOf(object boxed) => ref Unsafe.As<RawBox>(boxed).Data;

    private static string NameOf(Type type) => type.ToString().Replace(" ", "", StringComparison.Ordinal);

    private sealed class RawBox
    {
#pragma warning disable CS0649 // Never assigned: this describes the place of another object's data.
        internal byte Data;
#pragma warning restore CS0649
    }
}
