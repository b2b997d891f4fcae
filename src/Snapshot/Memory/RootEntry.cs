using System.Runtime.InteropServices;

namespace Snapshot.Memory;

/// <summary>
/// One named root, in the arena: this, then name, type name and layout as UTF-8. Part of the image.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = HeaderBytes)]
internal struct RootEntry
{
    internal const int HeaderBytes = 64;

    /// <summary>Offset of the next entry from the arena's base, or 0.</summary>
    [FieldOffset(0)] internal long Next;

    /// <summary>Offset of the first element.</summary>
    [FieldOffset(8)] internal long DataOffset;

    [FieldOffset(16)] internal long Count;

    [FieldOffset(24)] internal long ElementBytes;

    [FieldOffset(32)] internal int NameBytes;

    [FieldOffset(36)] internal int TypeBytes;

    [FieldOffset(40)] internal int LayoutBytes;
}
