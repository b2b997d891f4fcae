using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Interop;

/// <summary>
/// <c>struct sn_layout</c> of layout.h: what a native library says of a field, or of a struct.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeLayout
{
    internal byte* Structure;
    internal byte* Field;
    internal uint Offset;
    internal uint Bytes;

    /// <summary>
    /// Compares the structs that a library and this assembly share, in the order in which both list them.
    /// </summary>
    /// <param name="file">Of the library, for the message.</param>
    /// <param name="found">What the library says.</param>
    /// <param name="count">How many.</param>
    /// <param name="own">What was compiled here.</param>
    /// <exception cref="SnapshotException">
    /// NativeLibrary: they differ; names the first struct and field.
    /// </exception>
    internal static void Compare(string file, NativeLayout* found, ulong count, IEnumerable<NativeStruct> own)
    {
        int at = 0;
        foreach (NativeStruct layouts in own)
        {
            foreach (FieldLayout expected in layouts)
            {
                if (at == (int)count) throw Differs(file, $"does not know {expected.Name}");
                FieldLayout there = found[at++].Read();
                if (there.Structure != expected.Structure || there.Field != expected.Field)
                    throw Differs(file, $"has {there.Name} where Snapshot.dll has {expected.Name}");
                if (there != expected)
                    throw Differs(file, $"has {there.Name} {there.Place}, Snapshot.dll {expected.Place}");
            }
        }

        if (at < (int)count)
            throw Differs(file, $"has {found[at].Read().Name}, which Snapshot.dll does not know");
    }

    private readonly FieldLayout Read() => new(Text(Structure), Text(Field), Offset, Bytes);

    private static string Text(byte* text) =>
        Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static SnapshotException Differs(string file, string how) => new(
        SnapshotErrorCode.NativeLibrary,
        $"{file} {how}: the two files come from different builds. Reinstall the package or rebuild the " +
        "solution.");
}
