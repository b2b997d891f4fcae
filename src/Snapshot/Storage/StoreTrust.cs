using Snapshot.Interop;

namespace Snapshot.Storage;

/// <summary>Whose directories and files a store takes for its own, and who may read them.</summary>
/// <remarks>
/// Whoever wrote an image decides what a process does that restarts from it. So a store that is opened for
/// writing, as every session does it, must belong to this user or to root, and must not be writable for
/// everybody. Whoever only reads, as the tool does it, runs nothing of what it reads; what reading meets must
/// merely be files.
/// </remarks>
internal sealed class StoreTrust(StoreOptions options)
{
    private const uint Root = 0;

    internal uint FileMode => options.GroupMayRead ? 0b110_100_000u : 0b110_000_000u;

    internal uint DirectoryMode => options.GroupMayRead ? 0b111_101_000u : 0b111_000_000u;

    internal bool AllowsUnlocked => options.AllowUnlocked;

    internal void CheckDirectory(string path, FileStatus directory)
    {
        if (options.AllowForeignOwner) return;
        ThrowIfForeign(path, directory);
        if (directory.OthersMayWrite)
            throw Untrusted(path, "everybody may write it", $"Run 'chmod o-w {path}' if that was a mistake");
    }

    /// <param name="path">For messages.</param>
    /// <param name="file">What it is.</param>
    /// <param name="asOwner">Whether it has to be of a user that is trusted.</param>
    internal void CheckFile(string path, FileStatus file, bool asOwner)
    {
        if (!file.IsRegular) throw NotAFile(path, file.TypeName);
        if (asOwner && !options.AllowForeignOwner) ThrowIfForeign(path, file);
    }

    /// <summary>Whether root makes files for somebody else, who must be able to go on with them.</summary>
    internal static bool ShouldBelongTo(FileStatus directory) =>
        FileCalls.EffectiveUser == Root && directory.User != Root;

    /// <summary>A store is made of files alone: somebody put something else there.</summary>
    internal static SnapshotException NotAFile(string path, string what) =>
        Untrusted(path, $"it is {what} and not a file", "Find out who put it there");

    private static void ThrowIfForeign(string path, FileStatus file)
    {
        uint user = FileCalls.EffectiveUser;
        if (file.User != user && file.User != Root)
        {
            throw Untrusted(
                path, $"it belongs to the user with id {file.User}, and this process runs as {user}",
                "Run as the owner, or give the files to this user");
        }
    }

    private static SnapshotException Untrusted(string path, string why, string advice) =>
        new(
            SnapshotErrorCode.Untrusted,
            $"{path} is not trusted: {why}. Whoever can change an image decides what a process does that " +
            $"restarts from it. {advice}; {nameof(StoreOptions)}.{nameof(StoreOptions.AllowForeignOwner)} " +
            "allows other owners.")
        { Path = path };
}
