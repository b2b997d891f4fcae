using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Memory;

/// <summary>
/// The layout of an unmanaged type as text, to be stored beside its values and compared after a restart.
/// </summary>
/// <remarks>
/// <para>First line <c>size BYTES</c>, then a line <c>OFFSET SIZE TYPE PATH</c> for each field that is not
/// itself made of fields, by offset; a nullable value is one field. The names of the structs on the way are
/// not in it: renaming a struct keeps the values readable, renaming a field may not.</para>
/// <para>Offsets are found by setting one field of a zeroed value to one and looking for the byte that
/// changed (memory is little-endian), so they are those of the runtime that executes. The fields of T itself
/// are kept when a program is trimmed; those of a struct inside it may be gone, which is an error that says
/// how to keep them.</para>
/// </remarks>
internal static class LayoutFingerprint
{
    /// <summary>What trimming must keep of a type whose layout is described.</summary>
    internal const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    private const string TrimmingIsSeen =
        "T's own fields are kept; a nested struct whose fields were trimmed is refused.";

    private const string FixedBuffersAreKept =
        "The compiler's struct of a fixed buffer has no constructor; only its memory is used.";

    private const BindingFlags AllFields =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The layout of <typeparamref name="T"/>; computed once a type.</summary>
    internal static string Describe<[DynamicallyAccessedMembers(Members)] T>()
        where T : unmanaged => Cache<T>.Text;

    /// <summary>The first difference between two layouts in words, or null.</summary>
    internal static string? Difference(string saved, string current)
    {
        if (saved == current) return null;
        Field[] then = Parse(saved);
        Field[] now = Parse(current);
        foreach (Field field in then)
        {
            if (Array.Find(now, other => other.Path == field.Path) is not { } same) return $"{field} is gone";
            if (same != field) return $"{field} is now {same.Place}";
        }

        Field? added = Array.Find(now, field => !Array.Exists(then, other => other.Path == field.Path));
        return added is not null
            ? $"{added} is new"
            : $"the size was {SizeOf(saved)} bytes and is now {SizeOf(current)}";
    }

    private static string SizeOf(string layout) => layout.Split('\n')[0].Split(' ')[1];

    private static Field[] Parse(string layout) =>
        [.. layout.Split('\n').Skip(1).Where(line => line.Length > 0).Select(Field.Parse)];

    /// <summary>One line: a field that has no fields.</summary>
    private sealed record Field(long Offset, long Size, string Type, string Path)
    {
        internal string Place => $"{Type} at offset {Offset} ({Size} bytes)";

        internal static Field Parse(string line)
        {
            string[] part = line.Split(' ', 4);
            long offset = long.Parse(part[0], CultureInfo.InvariantCulture);
            return new Field(offset, long.Parse(part[1], CultureInfo.InvariantCulture), part[2], part[3]);
        }

        internal string ToLine() =>
            string.Create(CultureInfo.InvariantCulture, $"{Offset} {Size} {Type} {Path}");

        public override string ToString() => $"field '{Path}', {Place},";
    }

    private static class Cache<[DynamicallyAccessedMembers(Members)] T>
        where T : unmanaged
    {
        internal static readonly string Text = Walk();

        private static string Walk()
        {
            List<Field> fields = [];
            if (LeafSize(typeof(T)) is { } size) fields.Add(new Field(0, size, NameOf(typeof(T)), "value"));
            else Visit(typeof(T), default(T), [], fields);
            IEnumerable<string> lines = fields.OrderBy(field => field.Offset)
                .ThenBy(field => field.Path, StringComparer.Ordinal)
                .Select(field => field.ToLine());
            string first = string.Create(CultureInfo.InvariantCulture, $"size {Unsafe.SizeOf<T>()}");
            return string.Join('\n', [first, .. lines]);
        }

        /// <summary>Adds the fields of a struct; <paramref name="way"/> leads to it from T.</summary>
        [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = TrimmingIsSeen)]
        [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = TrimmingIsSeen)]
        private static void Visit(Type type, object zero, List<FieldInfo> way, List<Field> into)
        {
            FieldInfo[] own = type.GetFields(AllFields);
            foreach (FieldInfo field in own)
            {
                way.Add(field);
                if (field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer)
                    Add(way, $"{NameOf(buffer.ElementType)}[{buffer.Length}]", SizeOf(buffer), into);
                else if (LeafSize(field.FieldType) is { } size) Add(way, NameOf(field.FieldType), size, into);
                else if (Nullable.GetUnderlyingType(field.FieldType) is not null)
                    Add(way, NameOf(field.FieldType), RuntimeHelpers.SizeOf(
                        field.FieldType.TypeHandle), into);
                else if (field.FieldType.GetFields(AllFields).Length > 0)
                    Visit(field.FieldType, field.GetValue(zero)!, way, into);
                else throw Unknown(field);
                way.RemoveAt(way.Count - 1);
            }
        }

        private static NotSupportedException Unknown(FieldInfo field) => new(
            $"The layout of {typeof(T)} cannot be described: struct {field.FieldType} of field " +
            $"'{field.Name}' has no fields, or trimming removed their metadata. Keep it with " +
            "[DynamicDependency] or a trimmer descriptor, or give the struct a field.");

        private static void Add(List<FieldInfo> way, string type, long size, List<Field> into) =>
            into.Add(new Field(OffsetOf(way), size, type, string.Join('.', way.Select(NameOf))));

        /// <summary>Where the field at the end of the way begins in T.</summary>
        private static long OffsetOf(List<FieldInfo> way)
        {
            object?[] holders = new object?[way.Count];
            holders[0] = default(T);
            for (int i = 1; i < way.Count; i++) holders[i] = way[i - 1].GetValue(holders[i - 1]);

            object value = One(way[^1].FieldType);
            for (int i = way.Count - 1; i >= 0; i--)
            {
                way[i].SetValue(holders[i], value);
                value = holders[i]!;
            }

            T marked = (T)value;
            return MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in marked)).IndexOfAnyExcept((byte)0);
        }

        /// <summary>
        /// A value of a field's type whose first byte, and no byte before, differs from zero.
        /// </summary>
        [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = TrimmingIsSeen)]
        [UnconditionalSuppressMessage(
            "Trimming", "IL2067", Justification = "Only zeroed memory of a value is made.")]
        private static unsafe object One(Type type)
        {
            if (type.IsPointer) return Pointer.Box((void*)1, type);
            if (type.IsFunctionPointer) return (nint)1;
            if (type.IsEnum) return Enum.ToObject(type, 1);

            // Setting a nullable to any value sets its first byte, which says that it has one.
            if (Nullable.GetUnderlyingType(type) is { } content)
                return RuntimeHelpers.GetUninitializedObject(content);
            return Type.GetTypeCode(type) switch
            {
                TypeCode.Boolean => true,
                TypeCode.Char => '\u0001',
                TypeCode.Single => BitConverter.Int32BitsToSingle(1),
                TypeCode.Double => BitConverter.Int64BitsToDouble(1),
                _ when type == typeof(nint) => (nint)1,
                _ when type == typeof(nuint) => (nuint)1,
                _ when type.IsPrimitive => Convert.ChangeType(1, type, CultureInfo.InvariantCulture),
                _ => Marked(type),
            };
        }

        /// <summary>
        /// The hidden struct of a fixed buffer, with its first byte set: trimming removes its field.
        /// </summary>
        [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = FixedBuffersAreKept)]
        private static object Marked(Type type)
        {
            object value = RuntimeHelpers.GetUninitializedObject(type);
            Unsafe.As<RawBox>(value).Data = 1;
            return value;
        }
    }

    /// <summary>A boxed value: its first byte follows the object's one header word.</summary>
    private sealed class RawBox
    {
        internal byte Data;
    }

    private static long SizeOf(FixedBufferAttribute buffer) =>
        LeafSize(buffer.ElementType)!.Value * buffer.Length;

    /// <summary>
    /// The name of a field, with the number of elements where its struct is an inline array.
    /// </summary>
    private static string NameOf(FieldInfo field) =>
        field.DeclaringType?.GetCustomAttribute<InlineArrayAttribute>() is { } array
            ? string.Create(CultureInfo.InvariantCulture, $"{field.Name}[{array.Length}]")
            : field.Name;

    /// <summary>A type's name without blanks; that of an enumeration with what it is stored as.</summary>
    private static string NameOf(Type type) =>
        (type.IsEnum
            ? $"{type}:{Enum.GetUnderlyingType(type).Name}" : type.IsPrimitive ? type.Name : type.ToString())
        .Replace(" ", "", StringComparison.Ordinal);

    /// <summary>The size of a type that is not made of fields, or null.</summary>
    private static long? LeafSize(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint))
            return 8;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean or TypeCode.Byte or TypeCode.SByte => 1,
            TypeCode.Char or TypeCode.Int16 or TypeCode.UInt16 => 2,
            TypeCode.Int32 or TypeCode.UInt32 or TypeCode.Single => 4,
            TypeCode.Int64 or TypeCode.UInt64 or TypeCode.Double => 8,
            _ => null,
        };
    }
}
