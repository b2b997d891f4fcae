namespace Snapshot.Tests.Faults;

/// <summary>
/// The disk below a recording: takes one call after the other, and can say after each what a power cut may
/// leave.
/// </summary>
/// <remarks>
/// The model is the strict one: a file's sync says nothing about its name, which the sync of its directory
/// makes durable; sectors of 512 bytes are written as a whole or hold noise; nothing else is in any order.
/// </remarks>
/// <param name="root">The folder that was recorded; it was durable before.</param>
internal sealed class CrashDisk(string root)
{
    private readonly CrashDirectory _root = new();
    private readonly Dictionary<int, OpenNode> _open = [];

    private sealed class OpenNode(object node)
    {
        internal object Node { get; } = node;

        internal long Position { get; set; }
    }

    /// <summary>Whether content of a file is on its way.</summary>
    internal bool HasPendingContent => _root.HasPendingContent;

    internal CrashState AfterCrash(CrashStyle style, Random random)
    {
        List<(string Path, ReadOnlyMemory<byte>? Content)> found = [];
        _root.AfterCrash("", style, random, found);
        return new CrashState(found);
    }

    /// <summary>Makes a call that succeeded; of those that failed only a sync has an effect.</summary>
    internal void Make(Call call)
    {
        if (call.Kind == CallKind.Sync) Sync(call);
        if (call.Error != 0) return;
        switch (call.Kind)
        {
            case CallKind.Open:
                Open(call);
                break;
            case CallKind.Close:
                _open.Remove(call.Descriptor);
                break;
            case CallKind.Write:
                Write(call);
                break;
            case CallKind.Truncate:
                FileOf(call).SetLength(call.Offset);
                break;
            case CallKind.Allocate:
                if ((call.Argument & OpenFlags.KeepSize) == 0 && FileOf(call).Length < call.Offset)
                    FileOf(call).SetLength(call.Offset);
                break;
            case CallKind.Fcntl when call.Argument is OpenFlags.Duplicate or OpenFlags.DuplicateCloseOnExec:
                _open[(int)call.Result] = _open[call.Descriptor];
                break;
            case CallKind.MakeDirectory:
                Above(call.Path).Add(Path.GetFileName(call.Path), new CrashDirectory());
                break;
            case CallKind.Unlink:
                Above(call.Path).Remove(Path.GetFileName(call.Path));
                break;
            case CallKind.Rename:
                Rename(call);
                break;
            case CallKind.Link:
                Above(call.Path2).Add(Path.GetFileName(call.Path2), NodeOf(call.Path)!);
                break;
        }
    }

    private void Open(Call call)
    {
        if ((call.Argument & OpenFlags.TemporaryFile) != 0)
            throw new NotSupportedException($"a file without a name, in {call.Path}");
        object? node = NodeOf(call.Path);
        if (node is null)
        {
            node = new CrashFile();
            Above(call.Path).Add(Path.GetFileName(call.Path), node);
        }
        else if (node is CrashFile file && (call.Argument & OpenFlags.Truncate) != 0)
        {
            file.SetLength(0);
        }

        _open[(int)call.Result] = new OpenNode(node);
    }

    private void Write(Call call)
    {
        OpenNode open = _open[call.Descriptor];
        long offset = call.Offset >= 0 ? call.Offset : open.Position;
        ((CrashFile)open.Node).Write(offset, call.Data);
        if (call.Offset < 0) open.Position += call.Data.Length;
    }

    private void Sync(Call call)
    {
        object node = _open[call.Descriptor].Node;
        if (node is CrashFile file && call.Error != 0) file.FailSync();
        else if (node is CrashFile synced) synced.Sync();
        else if (call.Error == 0) ((CrashDirectory)node).Sync();
    }

    private void Rename(Call call)
    {
        CrashDirectory directory = Above(call.Path);
        if (directory != Above(call.Path2) || (call.Argument & OpenFlags.Exchange) != 0)
            throw new NotSupportedException($"renaming {call.Path} to {call.Path2}");
        directory.Rename(Path.GetFileName(call.Path), Path.GetFileName(call.Path2));
    }

    private CrashFile FileOf(Call call) => (CrashFile)_open[call.Descriptor].Node;

    private CrashDirectory Above(string path) => (CrashDirectory)NodeOf(Path.GetDirectoryName(path)!)!;

    private object? NodeOf(string path)
    {
        object? node = _root;
        foreach (string name in Path.GetRelativePath(root, path).Split('/'))
        {
            if (name != ".") node = (node as CrashDirectory)?.Find(name);
        }

        return node;
    }
}
