namespace Snapshot.Tests.Structure;

/// <summary>
/// The rooms of src/Snapshot and the arrows allowed between them: the table of ARCHITECTURE.md as code.
/// </summary>
internal static class Room
{
    /// <summary>
    /// The files directly in src/Snapshot: the public face, which may use every room and is used by none.
    /// </summary>
    internal const string Root = "(root)";

    /// <summary>
    /// What of Interop the room Storage may use: the calls .NET lacks for files, and the errors they give.
    /// </summary>
    private static readonly string[] s_storageMayCall =
    [
        "Require", "sn_file_set_direct", "sn_file_sync", "sn_directory_sync", "sn_limit_signal_hold",
        "sn_limit_signal_release", "sn_lock_acquire", "sn_lock_release",
    ];

    private static readonly Dictionary<string, string[]> s_mayUse = new()
    {
        ["Base"] = [],
        ["Interop"] = ["Base"],
        ["Memory"] = ["Base", "Interop"],
        ["Tracking"] = ["Base", "Interop", "Memory"],
        ["Threads"] = ["Base", "Interop", "Memory"],
        ["Coordination"] = ["Base", "Interop", "Threads"],
        ["Image"] = ["Base"],
        ["Storage"] = ["Base", "Image"],
        ["Checkpoint"] = ["Base", "Interop", "Memory", "Tracking", "Threads", "Coordination", "Image",
            "Storage"],
        ["Restart"] =
            ["Base", "Interop", "Memory", "Tracking", "Threads", "Coordination", "Image", "Storage",
                "Checkpoint"],
    };

    /// <summary>The room of a path relative to src/Snapshot.</summary>
    internal static string Of(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? Root : path[..slash];
    }

    internal static bool Exists(string room) => room == Root || s_mayUse.ContainsKey(room);

    /// <summary>
    /// Whether code in <paramref name="from"/> may use a member of a type of room <paramref name="to"/>.
    /// </summary>
    /// <param name="from">The room of the user.</param>
    /// <param name="to">The room of the used type.</param>
    /// <param name="type">The used type.</param>
    /// <param name="member">The used member, or null where only the type is named.</param>
    internal static bool Allows(string from, string to, string type, string? member)
    {
        if (from == to || from == Root) return true;
        if (from == "Storage" && to == "Interop")
        {
            return type is "NativeError" or "FileCalls" or "FileStatus"
                || (type == "Native" && (member is null || s_storageMayCall.Contains(member)));
        }

        return s_mayUse.TryGetValue(from, out string[]? allowed) && allowed.Contains(to);
    }
}
