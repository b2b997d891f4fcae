using System.Text;
using Snapshot.Base;

namespace Snapshot.Memory;

/// <summary>The named roots of an arena: a linked list of entries in the arena, walked by name.</summary>
/// <remarks>
/// A program has tens of roots and looks each up once, so there is no index. Not thread-safe.
/// </remarks>
internal sealed unsafe class RootTable(string arenaName, ArenaAllocator allocator, PageTable table)
{
    /// <summary>Roots are cache-line aligned, for vectors and against false sharing.</summary>
    private const int Alignment = 64;

    /// <summary>
    /// Finds a root and checks that it is what is asked for; null when there is none of that name.
    /// </summary>
    internal RootEntry* Find(string name, in RootType type)
    {
        RootEntry* root = Find(name, out _);
        if (root is null) return null;
        string saved = Text(root, root->NameBytes + root->TypeBytes, root->LayoutBytes);
        if (LayoutFingerprint.Difference(saved, type.Layout) is { } difference)
        {
            throw new SnapshotException(
                SnapshotErrorCode.LayoutMismatch,
                $"Root '{name}' of arena '{arenaName}' was made as " +
                $"{Text(root, root->NameBytes, root->TypeBytes)} and the program asks for {type.Name}, " +
                $"whose layout differs: {difference}. Ask for the type it was made with. To convert it, " +
                "read it with a copy of the old struct, write a new root, and remove this one.");
        }

        return root;
    }

    /// <summary>Finds a root of <paramref name="count"/> elements or makes it, zeroed.</summary>
    internal byte* FindOrMake(string name, in RootType type, long count)
    {
        RootEntry* root = Find(name, type);
        if (root is null) root = Make(name, type, count);
        if (root->Count == count) return table.Base + root->DataOffset;
        throw new SnapshotException(
            SnapshotErrorCode.LayoutMismatch,
            $"Root '{name}' of arena '{arenaName}' has {root->Count:N0} elements, and the program wants " +
            $"{count:N0}. Ask for the number it was made with (TryGetRoot tells it), or remove the root " +
            "first.");
    }

    /// <summary>Frees a root; false when there is none of that name.</summary>
    internal bool Remove(string name)
    {
        RootEntry* root = Find(name, out long* link);
        if (root is null) return false;
        allocator.Free(table.Base + root->DataOffset, isRoot: true);
        *link = root->Next;
        table.Header->RootCount--;
        allocator.Free(root, isRoot: true);
        return true;
    }

    internal IReadOnlyList<ArenaRoot> List()
    {
        List<ArenaRoot> roots = [];
        for (long at = table.Header->FirstRoot; at != 0; at = Entry(at)->Next)
        {
            RootEntry* root = Entry(at);
            string type = Text(root, root->NameBytes, root->TypeBytes);
            long bytes = root->Count * root->ElementBytes;
            roots.Add(
                new ArenaRoot(Text(root, 0, root->NameBytes), type, root->Count, root->DataOffset, bytes));
        }

        return roots;
    }

    private RootEntry* Make(string name, in RootType type, long count)
    {
        byte[] text = Encoding.UTF8.GetBytes(name + type.Name + type.Layout);
        long bytes = count <= long.MaxValue / type.Bytes ? count * type.Bytes : long.MaxValue;
        // One without elements has a place of its own all the same: whatever walks the roots finds all alike.
        long data = allocator.Allocate(Math.Max(bytes, 1), Alignment, type.Bytes, isRoot: true);
        long entry;
        try
        {
            entry = allocator.Allocate(RootEntry.HeaderBytes + text.Length, Alignment, 0, isRoot: true);
        }
        catch
        {
            allocator.Free(table.Base + data, isRoot: true);
            throw;
        }

        RootEntry* root = Entry(entry);
        root->DataOffset = data;
        root->Count = count;
        root->ElementBytes = type.Bytes;
        root->NameBytes = Encoding.UTF8.GetByteCount(name);
        root->TypeBytes = Encoding.UTF8.GetByteCount(type.Name);
        root->LayoutBytes = Encoding.UTF8.GetByteCount(type.Layout);
        text.CopyTo(new Span<byte>((byte*)root + RootEntry.HeaderBytes, text.Length));
        long* link = &table.Header->FirstRoot;
        while (*link != 0) link = &Entry(*link)->Next;
        *link = entry;
        table.Header->RootCount++;
        return root;
    }

    /// <summary>The entry of that name or null, and the link that leads to it.</summary>
    private RootEntry* Find(string name, out long* link)
    {
        RecordedName.ThrowIfUnusable(name);
        Span<byte> wanted = stackalloc byte[RecordedName.MaxBytes];
        wanted = wanted[..Encoding.UTF8.GetBytes(name, wanted)];
        for (link = &table.Header->FirstRoot; *link != 0; link = &Entry(*link)->Next)
        {
            RootEntry* root = Entry(*link);
            ReadOnlySpan<byte> found = new((byte*)root + RootEntry.HeaderBytes, root->NameBytes);
            if (found.SequenceEqual(wanted)) return root;
        }

        return null;
    }

    private RootEntry* Entry(long offset) => (RootEntry*)(table.Base + offset);

    private static string Text(RootEntry* root, int from, int bytes) =>
        Encoding.UTF8.GetString((byte*)root + RootEntry.HeaderBytes + from, bytes);
}
