using System.Diagnostics;
using Snapshot.Base;
using Snapshot.Image;
using Snapshot.Interop;

namespace Snapshot.Restart;

/// <summary>
/// The restart, read top to bottom: verify, map at the recorded addresses, fill, hand over.
/// </summary>
/// <remarks>
/// A lazy restart hands over before it has filled; what is still to come, and who brings it, is in the memory
/// it hands over (<see cref="LazyFill"/>). What follows is the session's: it gives the recorded names and ids
/// to the coordinator, arms tracking, and resumes handlers and participants concurrently as they register.
/// </remarks>
internal static class RestartRun
{
    // What Linux answers when the medium, or the file system's own checksum, fails: EIO, EBADMSG, EUCLEAN.
    private const int InputOutput = 5;
    private const int BadMessage = 74;
    private const int NeedsCleaning = 117;

    /// <summary>
    /// Restores the wanted generation, or, when that is allowed, the newest older one that verifies.
    /// </summary>
    /// <exception cref="SnapshotException">
    /// NotFound, Corrupt, ChainBroken, UnsupportedFormat, StoreIo, AddressTaken, SystemCall.
    /// </exception>
    /// <param name="store">Where the images are.</param>
    /// <param name="options">Which generation.</param>
    /// <param name="userfault">
    /// With it pages are fetched when they are touched; without, all is read now.
    /// </param>
    internal static RestoredState Execute(
        SnapshotStore store, RestartOptions options, UserfaultDescriptor? userfault)
    {
        List<SkippedGeneration> skipped = [];
        foreach (long generation in Candidates(store, options))
        {
            try
            {
                return Restore(store, generation, options, userfault, skipped);
            }
            catch (SnapshotException damage) when (options.AllowOlderGeneration && IsDamage(damage))
            {
                skipped.Add(new SkippedGeneration(generation, damage));
            }
        }

        throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"No generation of '{store.Directory}' can be restored; all {skipped.Count} that were tried " +
            "are damaged. Run 'snapshot verify' on the store to see everything that is wrong with it.",
            skipped.Count > 0 ? skipped[0].Reason : null)
        { Path = store.Directory };
    }

    private static RestoredState Restore(
        SnapshotStore store, long generation, RestartOptions options, UserfaultDescriptor? userfault,
        IReadOnlyList<SkippedGeneration> skipped)
    {
        // Verify: every header, footer and index of the chain, before anything is mapped.
        RestartPlan plan = RestartPlan.Make(store, generation);
        RestoredMemory? memory = null;
        try
        {
            // Map: all regions, or none.
            memory = RestoredMemory.Map(plan);

            // Fill: a block is verified before it is decoded, and decoded before a byte of it reaches an
            // arena. Buffers have no address before the program protects them again, so they are read now in
            // any case.
            long filling = Stopwatch.GetTimestamp();
            RegionKind? now = userfault is null ? null : RegionKind.Buffer;
            long bytes = Pages.Bytes(EagerFill.Run(plan, memory.Targets, options.ThreadsBefore, now));
            LazyFill? awaited = userfault is null ? null : LazyFill.Begin(plan, memory, userfault, bytes);
            memory.Adopt();
            TimeSpan filled = Stopwatch.GetElapsedTime(filling);

            ImageHeader header = plan.Newest.Header;
            RestartResidency residency = awaited?.Residency ?? RestartResidency.OfEager(bytes, filled);
            return new RestoredState(
                memory,
                plan.Newest.Metadata,
                new ImageLink(header.ImageId, header.Generation),
                options.ThreadsBeside,
                new RestartInfo(
                    generation: generation,
                    chainLength: plan.Chain.Count,
                    bytesRestored: residency.BytesTotal,
                    mode: userfault is null ? RestartFill.Eager : RestartFill.Lazy,
                    residency: residency,
                    waitsInSystemCalls: userfault?.WaitsInSystemCalls ?? true,
                    skipped: skipped,
                    tag: header.Tag));
        }
        catch
        {
            // Nothing half-restored stays behind; what else fails meanwhile is not the cause.
            Closing closing = default;
            closing.Dispose(memory);
            closing.Dispose(plan);
            throw;
        }
        finally
        {
            if (userfault is null) plan.Dispose();
        }
    }

    private static IEnumerable<long> Candidates(SnapshotStore store, RestartOptions options)
    {
        if (store.Generations.Count == 0)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"'{store.Directory}' holds no committed generation, so there is nothing to restart from.")
            { Path = store.Directory };
        }

        long wanted = options.Tag is { } tag
            ? store.FindTagged(tag).Generation
            : options.ImageId is { } image
            ? store.FindImage(image).Generation
            : options.Generation ?? store.RestartGeneration ?? store.Newest!.Generation;
        if (store.Generations.FirstOrDefault(entry => entry.Generation == wanted) is not { } first)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"'{store.Directory}' holds no generation {wanted}; it has " +
                $"{string.Join(", ", store.Generations.Select(entry => entry.Generation))}.")
            { Path = store.Directory, Generation = wanted };
        }

        // What was passed over is no way back, unless that is where somebody wants to go.
        return store.Generations
            .Where(entry => entry.Generation <= wanted && (!entry.IsPassedOver || first.IsPassedOver))
            .Select(entry => entry.Generation).OrderDescending();
    }

    /// <summary>
    /// Damage is a reason to go to an older generation: what was read is wrong, the medium cannot give it
    /// back, or a listed image is gone. That something could not be opened or mapped now (permission,
    /// descriptors, memory, a taken address) is not: it says nothing about the image, and the next start may
    /// find it in order.
    /// </summary>
    private static bool IsDamage(SnapshotException error) => error.Code switch
    {
        SnapshotErrorCode.Corrupt or SnapshotErrorCode.ChainBroken or SnapshotErrorCode.UnsupportedFormat =>
            true,
        SnapshotErrorCode.NotFound => true,
        SnapshotErrorCode.StoreIo => error.Errno is InputOutput or BadMessage or NeedsCleaning
            || error.InnerException is EndOfStreamException,
        _ => false,
    };
}
