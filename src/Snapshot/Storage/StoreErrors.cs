using System.Runtime.InteropServices;
using Snapshot.Base;

namespace Snapshot.Storage;

/// <summary>The failures of a store, with one wording.</summary>
internal static class StoreErrors
{
    /// <summary>
    /// What .NET makes of a failed call about a file. Of EFBIG alone it makes an argument that is out of
    /// range.
    /// </summary>
    internal static bool IsIo(Exception error) =>
        error is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException;

    /// <summary>
    /// A failed file operation; .NET keeps the errno of an <see cref="IOException"/> in its HResult.
    /// </summary>
    internal static SnapshotException Io(string step, string path, long? offset, Exception error)
    {
        int? errno = error.HResult is > 0 and < 4096 ? error.HResult : null;
        return Io(step, path, offset, errno, error.Message, error);
    }

    internal static SnapshotException Io(
        string step, string path, long? offset, int errno, Exception? error = null) =>
        Io(step, path, offset, errno, Marshal.GetPInvokeErrorMessage(errno), error);

    internal static bool IsOutOfRoom(SnapshotException error) =>
        error.Errno is Errno.NoSpace or Errno.QuotaExceeded;

    internal static SnapshotException Corrupt(string path, string what, long? offset = null) =>
        new(SnapshotErrorCode.Corrupt, $"{path}: {what}") { Path = path, Offset = offset };

    /// <summary>Refuses a directory of images that has no manifest.</summary>
    internal static void ThrowIfManifestMissing(string directory, IEnumerable<string> names)
    {
        if (names.FirstOrDefault(ImageFileName.IsImage) is not { } image) return;
        throw Corrupt(
            directory,
            $"there are images ('{image}') but no manifest. 'snapshot recover' makes one from the images.");
    }

    /// <summary>The manifest is not the one that this writer wrote last.</summary>
    internal static SnapshotException ChangedByAnother(string directory, long known, long found) =>
        new(
            SnapshotErrorCode.StoreBusy,
            $"{directory}: another process wrote the manifest (its sequence is {found}, this session knows " +
            $"{known}), so nothing was written. Let one of the two go on, each in its own directory.")
        { Path = directory };

    internal static SnapshotException ReplacedMeanwhile(string directory, ManifestEntry entry) =>
        new(
            SnapshotErrorCode.NotFound,
            $"{directory} no longer has {entry.FileName}: an earlier change of the store had taken effect, " +
            "although its outcome was unknown. Nothing else has changed. Try again with the generations " +
            "that are listed now.")
        {
            Path = directory,
            Generation = entry.Generation,
        };

    internal static SnapshotException NoSuchTag(
        string directory, string tag, IReadOnlyList<GenerationInfo> generations)
    {
        string[] tags = [.. generations.Reverse().Select(info => info.Tag).OfType<string>().Distinct()];
        string there = tags.Length == 0
            ? "none of its generations has a tag"
            : FromTheNewest(tags.Select(one => $"'{one}'"));
        return new SnapshotException(
            SnapshotErrorCode.NotFound, $"{directory} holds no generation with the tag '{tag}'; {there}.")
        { Path = directory };
    }

    internal static SnapshotException NoSuchImage(
        string directory, Guid imageId, IReadOnlyList<GenerationInfo> generations)
    {
        string there = FromTheNewest(
            generations.Reverse().Select(info => $"{info.ImageId} (generation {info.Generation})"));
        return new SnapshotException(
            SnapshotErrorCode.NotFound, $"{directory} holds no image with the id {imageId}; {there}.")
        { Path = directory };
    }

    internal static SnapshotException TooManyGenerations(string path) =>
        new(
            SnapshotErrorCode.LimitReached,
            $"{path}: a store lists at most {ManifestHalf.EntriesMax} generations, and fewer where they " +
            "have long tags. Prune it; committed generations are untouched.")
        { Path = path };

    /// <summary>A number of the store cannot grow; what would follow is not readable as newer.</summary>
    internal static SnapshotException NumbersUsedUp(string path, string what) =>
        new(
            SnapshotErrorCode.LimitReached,
            $"{path}: {what}. Go on in a new store; committed generations are untouched and can be restored.")
        { Path = path };

    private static string FromTheNewest(IEnumerable<string> names)
    {
        const int Named = 20;
        string[] all = [.. names];
        string more = all.Length > Named ? $", and {all.Length - Named} more" : "";
        return $"it has, from the newest: {string.Join(", ", all.Take(Named))}{more}";
    }

    private static SnapshotException Io(
        string step, string path, long? offset, int? errno, string why, Exception? error)
    {
        string advice = errno is Errno.NoSpace or Errno.QuotaExceeded
            ? "Free some room, or prune older generations. Committed generations are untouched."
            : "Committed generations are untouched.";
        string place = offset is { } at ? $"{path}, offset {at}" : path;
        string begin = char.ToUpperInvariant(step[0]) + step[1..];
        return new SnapshotException(
            SnapshotErrorCode.StoreIo, $"{begin} failed: {place}: {why.TrimEnd('.')}. {advice}", error)
        {
            Path = path,
            Offset = offset,
            Step = step,
            Errno = errno,
        };
    }
}
