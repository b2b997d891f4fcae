using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Snapshot.Storage;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// What passes between a rank that sends images and the one that stores them: the receiver says what it has;
/// then come the plan, and of each image its pieces and its <see cref="ImageSeal"/>, in this order.
/// </summary>
internal static class ImagePlan
{
    /// <summary>Large enough for a message's cost not to count, and for direct I/O.</summary>
    internal const int PieceBytes = 4 << 20;

    /// <summary>
    /// Pieces of one sender or receiver that may be open, or between MPI and the disk: what goes at most with
    /// one poll.
    /// </summary>
    internal const int PiecesOpen = 8;

    internal const int ImagesMax = ManifestHalf.EntriesMax;

    /// <summary>The tag of what goes with the images. MPI keeps messages of one tag in order.</summary>
    internal const int Tag = 1;

    /// <summary>The tag of what goes the other way: two ranks may keep each other's images.</summary>
    internal const int HaveTag = 2;

    internal static int HaveBytes => sizeof(long) + ImagesMax * Marshal.SizeOf<StoredImage>();

    internal static int PlanBytes => Marshal.SizeOf<PlanHeader>() + ImagesMax * Marshal.SizeOf<StoredImage>();

    /// <summary>Which of the images a store lacks that has others.</summary>
    /// <param name="wanted">A chain, the oldest first.</param>
    /// <param name="had">Of the store.</param>
    /// <returns>
    /// Those to send; and whether the store is to be emptied first: it takes images in their order only.
    /// </returns>
    internal static (int First, bool Anew) Missing(
        IReadOnlyList<StoredImage> wanted, IReadOnlyList<StoredImage> had)
    {
        int first = 0;
        while (first < wanted.Count
            && had.Any(image => image.Generation == wanted[first].Generation
                && image.ImageId == wanted[first].ImageId))
        {
            first++;
        }

        bool inOrder = first == wanted.Count || had.All(image => image.Generation < wanted[first].Generation);
        return inOrder ? (first, false) : (0, true);
    }

    /// <summary>Makes the buffers that the pieces of some images need.</summary>
    internal static void Fill(BlockingCollection<MessageBuffer> free, IReadOnlyList<StoredImage> images)
    {
        long most = images.Select(image => image.FileBytes).DefaultIfEmpty(0).Max();
        long count = Math.Min(PiecesOpen, images.Sum(image => Pieces(image.FileBytes).Count()));
        for (int i = 0; i < count; i++) free.Add(new MessageBuffer((int)Math.Min(PieceBytes, most), free));
    }

    /// <summary>The pieces of a file, by offset and length.</summary>
    internal static IEnumerable<(long Offset, int Length)> Pieces(long fileBytes)
    {
        for (long offset = 0; offset < fileBytes; offset += PieceBytes)
            yield return (offset, (int)Math.Min(PieceBytes, fileBytes - offset));
    }
}

/// <summary>The beginning of a plan; the images follow, the oldest first.</summary>
/// <param name="Count">Of the images, or -1: the sender does not have what it was to send.</param>
/// <param name="Anew">1: the store is emptied first.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PlanHeader(long Count, long Anew);

/// <summary>What follows the pieces of an image.</summary>
/// <param name="IsGood">1, or 0 where the sender could not read all of it.</param>
/// <param name="Hash">XXH3-64 of the file.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ImageSeal(long IsGood, ulong Hash);
