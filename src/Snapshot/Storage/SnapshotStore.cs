using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot;

/// <summary>A directory of images and the manifest that says which of them are committed.</summary>
/// <remarks>
/// Thread-safe. One store at a time has a directory open for writing; any number may read it. A reader sees
/// the generations there were when it opened the store.
/// </remarks>
public sealed partial class SnapshotStore : IDisposable
{
    private const string LockName = "lock";

    private readonly IStoreMedium _medium;
    private readonly IStoreLock? _writerLock;
    private readonly Manifest _manifest;

    /// <summary>
    /// Guards the manifest and the drafts. Held while the manifest is written, never while an image is.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly StoreDrafts _drafts;

    /// <summary>Compaction and pruning take turns, so that neither loses what the other reads.</summary>
    private readonly SemaphoreSlim _maintenance = new(1);

    /// <summary>Ends a compaction when the store is closed.</summary>
    private readonly CancellationTokenSource _closing = new();
    private long? _continued;
    private bool _disposed;

    private SnapshotStore(
        IStoreMedium medium, IStoreLock? writerLock, Manifest manifest, IReadOnlyList<StoreFinding> findings,
        StoreOptions options, bool directWrites)
    {
        _medium = medium;
        _writerLock = writerLock;
        _manifest = manifest;
        Findings = findings;
        Options = options;
        _drafts = new StoreDrafts(medium, manifest, _gate, directWrites, bytesLeft: () => Space!.BytesLeft);
        Space = new StoreSpace(this, medium, _maintenance);
    }

    /// <summary>
    /// Opens a store for writing, making the directory when it is missing. Deletes what an interrupted writer
    /// left, and sets complete images aside that the manifest does not list (<see cref="Findings"/>).
    /// </summary>
    /// <param name="directory">The path of the directory.</param>
    /// <param name="options">How the store behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">
    /// StoreBusy: it is open for writing elsewhere. Corrupt: the manifest is damaged. Untrusted: it is
    /// somebody else's. Unsupported: its file system has no locks. StoreIo, UnsupportedFormat, NativeLibrary.
    /// </exception>
    public static SnapshotStore Open(string directory, StoreOptions? options = null) =>
        Open(directory, options ?? new StoreOptions(), directIo: true);

    /// <summary>
    /// Opens a store for reading; takes no lock and needs no native code. It shows the generations there are
    /// now.
    /// </summary>
    /// <param name="directory">The path of the directory.</param>
    /// <exception cref="SnapshotException">NotFound: there is no store. Corrupt: the manifest is damaged.
    /// StoreIo, UnsupportedFormat.</exception>
    public static SnapshotStore OpenReadOnly(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return OpenReadOnly(new DirectoryMedium(Path.GetFullPath(directory), directReads: false));
    }

    /// <summary>
    /// Makes a new manifest from the images of a directory: each says which generation it is and what it
    /// needs. The old one is kept under another name.
    /// </summary>
    /// <remarks>
    /// For a store whose manifest is damaged, missing or older than its images. Images are read as far as
    /// their headers and indexes; <see cref="VerifyAsync"/> reads the rest.
    /// </remarks>
    /// <param name="directory">The path of the directory.</param>
    /// <param name="dryRun">Whether to say only what would be done; then no lock is taken.</param>
    /// <param name="options">Whose files it may be, and the like; or null for the defaults.</param>
    /// <exception cref="SnapshotException">StoreBusy: it is open for writing. NotFound: it holds no image
    /// that can be read. StoreIo, UnsupportedFormat, NativeLibrary, Untrusted.</exception>
    internal static RecoveryReport Recover(
        string directory, bool dryRun = false, StoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        using DirectoryMedium medium = new(Path.GetFullPath(directory), directReads: false, options);
        return Recover(medium, dryRun);
    }

    internal static RecoveryReport Recover(IStoreMedium medium, bool dryRun)
    {
        // What cannot be recovered is told before a lock file is made.
        RecoveryReport planned = StoreRecovery.Run(medium, dryRun: true);
        if (dryRun) return planned;
        using IStoreLock writerLock = medium.Lock(LockName);
        return StoreRecovery.Run(medium, dryRun: false);
    }

    internal static SnapshotStore Open(string directory, StoreOptions options, bool directIo) =>
        Open(new DirectoryMedium(Path.GetFullPath(directory), directIo, options), options, directIo);

    internal static SnapshotStore Open(IStoreMedium medium, StoreOptions options, bool directWrites = true)
    {
        IStoreLock? writerLock = null;
        try
        {
            medium.CreateLocation();
            writerLock = medium.Lock(LockName);
            (Manifest manifest, IReadOnlyList<StoreFinding> findings) =
                StoreOpening.ForWriting(medium, writerLock);
            return new SnapshotStore(medium, writerLock, manifest, findings, options, directWrites);
        }
        catch
        {
            writerLock?.Dispose();
            medium.Dispose();
            throw;
        }
    }

    internal static SnapshotStore OpenReadOnly(IStoreMedium medium)
    {
        try
        {
            (Manifest manifest, IReadOnlyList<StoreFinding> findings) = StoreOpening.ForReading(medium);
            return new SnapshotStore(
                medium, null, manifest, findings, new StoreOptions(), directWrites: false);
        }
        catch
        {
            medium.Dispose();
            throw;
        }
    }

    /// <summary>The full path of the directory.</summary>
    public string Directory => _medium.Location;

    /// <summary>The options it was opened with.</summary>
    public StoreOptions Options { get; }

    /// <summary>
    /// What was not as a writer leaves it when the store was opened: a damaged half of the manifest, images
    /// that it does not list. Empty as a rule.
    /// </summary>
    public IReadOnlyList<StoreFinding> Findings { get; }

    /// <summary>Decides what the next image is, and makes room for it.</summary>
    internal StoreSpace Space { get; }

    internal StoreHoldings Holdings
    {
        get
        {
            lock (_gate)
            {
                return new StoreHoldings(_manifest.Entries, [.. Needed], _drafts.ExpectedBytes)
                { Floor = Floor };
            }
        }
    }

    /// <summary>
    /// Pruning spares this generation, and no longer the one named before: a session continues it.
    /// </summary>
    internal void Continue(long generation)
    {
        lock (_gate) _continued = generation;
    }

    /// <summary>The committed generations, oldest first.</summary>
    public IReadOnlyList<GenerationInfo> Generations => [.. Entries.Select(entry => entry.ToInfo())];

    /// <summary>The newest generation, or null when the store is empty.</summary>
    public GenerationInfo? Newest => Entries is [.., ManifestEntry newest] ? newest.ToInfo() : null;

    /// <summary>
    /// The generation that the next restart takes when it is not told otherwise, or null for the newest. A
    /// commit clears it.
    /// </summary>
    internal long? RestartGeneration
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            lock (_gate) return _manifest.RestartGeneration is > 0 and long chosen ? chosen : null;
        }
    }

    /// <summary>
    /// Says which generation the next restart takes. Nothing is deleted. When the store goes on from there,
    /// younger generations are passed over; they stay until pruning is told to delete them.
    /// </summary>
    /// <param name="generation">One that is listed, also one that was passed over; or null for the newest,
    /// which undoes an earlier choice.</param>
    /// <exception cref="SnapshotException">
    /// NotFound: there is no such generation. StoreIo, OutcomeUnknown.
    /// </exception>
    /// <exception cref="InvalidOperationException">The store is open for reading.</exception>
    public void ChooseRestart(long? generation)
    {
        ThrowIfNotWritable();
        lock (_gate)
        {
            _manifest.ThrowIfUnknown();
            long chosen = generation is { } wanted ? Find(wanted).Generation : 0;
            if (chosen != _manifest.RestartGeneration) _manifest.ChooseRestart(chosen);
        }
    }

    /// <summary>The number of the next generation.</summary>
    /// <exception cref="SnapshotException">LimitReached: there is no higher number.</exception>
    internal long NextGeneration
    {
        get
        {
            // Above those that were set aside, too, so that they can be listed again beside it.
            long last = Findings.Select(finding => finding.Generation ?? 0).DefaultIfEmpty(0).Max();
            lock (_gate) last = Math.Max(last, _manifest.LastGeneration);
            return last < long.MaxValue
                ? last + 1
                : throw StoreErrors.NumbersUsedUp(
                    Directory, "it holds the generation with the last number there is");
        }
    }

    /// <summary>What an image says about itself.</summary>
    /// <param name="generation">The generation.</param>
    /// <exception cref="SnapshotException">NotFound, Corrupt, StoreIo, UnsupportedFormat.</exception>
    public ImageDescription Describe(long generation) => Reading(_ =>
    {
        ManifestEntry entry = Find(generation);
        using ImageReader image = GenerationChain.Open(_medium, entry, isAncestor: false);
        return ImageDescriber.Describe(entry.ToInfo(), image);
    });

    /// <summary>Opens the memory of a region, to read it without a session.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="region">The name of an arena or a protected buffer.</param>
    /// <exception cref="SnapshotException">
    /// NotFound: there is no such generation, or it has no such region. ChainBroken, Corrupt, StoreIo,
    /// UnsupportedFormat.
    /// </exception>
    public StoredRegion OpenRegion(long generation, string region)
    {
        ArgumentException.ThrowIfNullOrEmpty(region);
        IReadOnlyList<ImageReader> images = OpenChain(generation);
        ChainPages chain = new(images, images.Count);
        try
        {
            return new StoredRegion(generation, chain, FindRegion(generation, chain.Map, region));
        }
        catch
        {
            chain.Dispose();
            throw;
        }
    }

    /// <summary>
    /// After a commit of unknown outcome: reads which generations there are and makes them durable.
    /// </summary>
    /// <exception cref="SnapshotException">OutcomeUnknown, still; StoreIo, Corrupt.</exception>
    internal void ResolveOutcome()
    {
        lock (_gate)
        {
            // What turned out to be committed may lack the last step of its commit.
            if (_manifest.Resolve()) StoreOpening.FinishNames(_medium, _manifest);
        }
    }

    /// <summary>
    /// Starts a new image in a file that becomes visible by <see cref="Commit"/>. The caller ends the draft
    /// by that or by <see cref="Abandon"/>.
    /// </summary>
    internal ImageDraft BeginImage(
        ImageHeader header, ImageWriterOptions? options = null, CancellationToken cancellation = default)
    {
        lock (_gate)
        {
            ThrowIfNotWritable();
            ThrowIfNoPlaceFor(header.Generation, header.Parent, header.Tag);
            return _drafts.Begin(header, 0, options, cancellation);
        }
    }

    /// <summary>
    /// Starts a file that shall take the place of a generation's; ended as other drafts are.
    /// </summary>
    internal ImageDraft BeginRevision(
        ImageHeader header, ManifestEntry replaced, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _manifest.ThrowIfUnknown();
            // The entry was looked up before: an earlier change may have turned out since.
            if (!_manifest.Entries.Any(entry => entry.FileName == replaced.FileName))
                throw StoreErrors.ReplacedMeanwhile(Directory, replaced);
            return _drafts.Begin(header, replaced.Revision + 1, null, cancellation);
        }
    }

    /// <summary>
    /// Makes a completed draft durable and visible. When it throws, the draft is gone, except with
    /// OutcomeUnknown.
    /// </summary>
    internal GenerationInfo Commit(ImageDraft draft) =>
        _drafts.Publish(draft, entry => _manifest.Commit(entry, _continued));

    /// <summary>The same for a revision; the image whose place it takes is deleted.</summary>
    internal GenerationInfo CommitRevision(ImageDraft draft, ManifestEntry replaced)
    {
        GenerationInfo info = _drafts.Publish(draft, _manifest.Put);
        _drafts.DeleteRetired(replaced);
        return info;
    }

    /// <summary>
    /// Drops a draft and its file. Nothing happens to a draft that was committed or abandoned before.
    /// </summary>
    internal void Abandon(ImageDraft draft) => _drafts.Abandon(draft);

    /// <summary>Opens an image and its ancestors, newest first. The caller disposes them.</summary>
    /// <exception cref="SnapshotException">NotFound, ChainBroken, Corrupt, StoreIo, UnsupportedFormat; it
    /// names the file.</exception>
    internal IReadOnlyList<ImageReader> OpenChain(long generation) =>
        Reading(entries => GenerationChain.OpenAll(_medium, entries, Find(generation)));

    private ChainRegion FindRegion(long generation, ChainMap map, string name) =>
        map.Regions.FirstOrDefault(region => region.Description.Name == name)
        ?? throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"Generation {generation} of {Directory} has no region '{name}'. It has: " +
            $"{string.Join(", ", map.Regions.Select(region => $"'{region.Description.Name}'"))}.")
        {
            Path = Directory,
            Generation = generation,
        };

    /// <summary>
    /// Ends the work with the store, drops drafts that were not committed, and gives the lock back.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        // What compacts or prunes uses the drafts and the manifest: it must be over before they go.
        _closing.Cancel();
        _maintenance.Wait();
        try
        {
            _drafts.AbandonAll();
        }
        finally
        {
            _writerLock?.Dispose();
            _medium.Dispose();
            _closing.Dispose();
        }
    }

    private IReadOnlyList<ManifestEntry> Entries
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            lock (_gate) return _manifest.Entries;
        }
    }

    /// <summary>
    /// Opens what the manifest lists; once more when it changed meanwhile, for compaction and pruning take
    /// files away that it listed before: what failed to open is not listed any more. Each further try needs a
    /// further change.
    /// </summary>
    private T Reading<T>(Func<IReadOnlyList<ManifestEntry>, T> open)
    {
        while (true)
        {
            IReadOnlyList<ManifestEntry> entries = Entries;
            try
            {
                return open(entries);
            }
            catch (SnapshotException) when (!ReferenceEquals(entries, Entries)) { }
        }
    }

    /// <summary>
    /// Refuses an image before it is written that could not be listed after. Called inside the gate.
    /// </summary>
    private void ThrowIfNoPlaceFor(long generation, ImageLink? parent, string? tag)
    {
        _manifest.ThrowIfUnknown();
        if (!_manifest.HasRoomFor(tag)) throw StoreErrors.TooManyGenerations(Directory);
        IReadOnlyList<ManifestEntry> entries = _manifest.Entries;
        if (entries is [.., ManifestEntry newest])
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(
                generation, newest.Generation, nameof(generation));
        if (parent is not { } needed
            || entries.Any(
                entry => entry.Generation == needed.Generation && entry.ImageId == needed.ImageId))
            return;
        throw new SnapshotException(
            SnapshotErrorCode.ChainBroken,
            $"generation {needed.Generation}, the parent of the new image, is not in {Directory}. Make a " +
            "full image.")
        {
            Path = Directory,
            Generation = needed.Generation,
        };
    }

    private ManifestEntry Find(long generation) =>
        Entries.FirstOrDefault(entry => entry.Generation == generation)
        ?? throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"{Directory} has no generation {generation}. 'snapshot list' shows what there is.")
        {
            Path = Directory,
            Generation = generation,
        };

    /// <summary>
    /// The newest generation with a tag; one that was passed over only where there is no other.
    /// </summary>
    /// <exception cref="SnapshotException">NotFound, which names the tags there are.</exception>
    internal GenerationInfo FindTagged(string tag)
    {
        IReadOnlyList<GenerationInfo> all = Generations;
        return all.Where(info => info.Tag == tag).OrderBy(info => !info.IsPassedOver).LastOrDefault()
            ?? throw StoreErrors.NoSuchTag(Directory, tag, all);
    }

    /// <summary>The generation whose image has an id, also one that was passed over.</summary>
    /// <exception cref="SnapshotException">NotFound, which names the ids there are.</exception>
    internal GenerationInfo FindImage(Guid imageId)
    {
        IReadOnlyList<GenerationInfo> all = Generations;
        return all.FirstOrDefault(info => info.ImageId == imageId)
            ?? throw StoreErrors.NoSuchImage(Directory, imageId, all);
    }

    private void ThrowIfNotWritable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_writerLock is null)
            throw new InvalidOperationException(
                $"the store {Directory} is open for reading; use {nameof(Open)}");
    }
}
