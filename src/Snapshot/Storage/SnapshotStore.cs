using Snapshot.Image;
using Snapshot.Storage;

namespace Snapshot;

/// <summary>A directory of images and the manifest that says which of them are committed.</summary>
/// <remarks>
/// Thread-safe. One store at a time has a directory open for writing; any number may read it. A reader sees the
/// generations there were when it opened the store.
/// </remarks>
public sealed class SnapshotStore : IDisposable
{
    private const string LockName = "lock";

    private readonly IStoreMedium _medium;
    private readonly IStoreLock? _writerLock;
    private readonly Manifest _manifest;

    /// <summary>
    /// Guards the manifest and the drafts. Held while the manifest is written, never while an image is.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly List<ImageDraft> _drafts = [];

    /// <summary>Compaction and pruning take turns, so that neither loses what the other reads.</summary>
    private readonly SemaphoreSlim _maintenance = new(1);

    /// <summary>Ends a compaction when the store is closed.</summary>
    private readonly CancellationTokenSource _closing = new();
    private long? _continued;
    private bool _disposed;

    private SnapshotStore(IStoreMedium medium, IStoreLock? writerLock, Manifest manifest, StoreOptions options)
    {
        _medium = medium;
        _writerLock = writerLock;
        _manifest = manifest;
        Options = options;
        Space = new StoreSpace(this, medium, _maintenance);
    }

    /// <summary>
    /// Opens a store for writing, making the directory when it is missing. Deletes what an interrupted writer left.
    /// </summary>
    /// <param name="directory">The path of the directory.</param>
    /// <param name="options">How the store behaves, or null for the defaults.</param>
    /// <exception cref="SnapshotException">
    /// StoreBusy: it is open for writing elsewhere. Corrupt: the manifest is damaged. StoreIo, UnsupportedFormat,
    /// NativeLibrary.
    /// </exception>
    public static SnapshotStore Open(string directory, StoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= new StoreOptions();
        return Open(new DirectoryMedium(Path.GetFullPath(directory), options.DirectIo), options);
    }

    /// <summary>
    /// Opens a store for reading; takes no lock and needs no native code. It shows the generations there are now.
    /// </summary>
    /// <param name="directory">The path of the directory.</param>
    /// <exception cref="SnapshotException">NotFound: there is no store. Corrupt: the manifest is damaged. StoreIo,
    /// UnsupportedFormat.</exception>
    public static SnapshotStore OpenReadOnly(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return OpenReadOnly(new DirectoryMedium(Path.GetFullPath(directory), directReads: false));
    }

    internal static SnapshotStore Open(IStoreMedium medium, StoreOptions options)
    {
        medium.CreateLocation();
        IStoreLock writerLock = medium.Lock(LockName);
        try
        {
            IReadOnlyList<string> names = medium.List();
            bool isNew = !names.Contains(Manifest.FileName);
            if (isNew)
            {
                StoreErrors.ThrowIfManifestMissing(medium.Location, names);
                Manifest.Create(medium);
            }

            Manifest manifest = Manifest.Read(medium);
            if (!isNew) manifest.Confirm();
            StoreLeftovers.Delete(medium, names, manifest);
            return new SnapshotStore(medium, writerLock, manifest, options);
        }
        catch
        {
            writerLock.Dispose();
            throw;
        }
    }

    internal static SnapshotStore OpenReadOnly(IStoreMedium medium)
    {
        IReadOnlyList<string> names = medium.List();
        if (names.Contains(Manifest.FileName))
            return new SnapshotStore(medium, null, Manifest.Read(medium), new StoreOptions());
        StoreErrors.ThrowIfManifestMissing(medium.Location, names);
        throw new SnapshotException(
            SnapshotErrorCode.NotFound, $"{medium.Location} is not a store: it has no manifest.")
        { Path = medium.Location };
    }

    /// <summary>The full path of the directory.</summary>
    public string Directory => _medium.Location;

    /// <summary>The options it was opened with.</summary>
    public StoreOptions Options { get; }

    /// <summary>Whether it was opened for reading.</summary>
    public bool IsReadOnly => _writerLock is null;

    /// <summary>Decides what the next image is, and makes room for it.</summary>
    internal StoreSpace Space { get; }

    internal StoreHoldings Holdings
    {
        get
        {
            lock (_gate)
                return new StoreHoldings(_manifest.Entries, [.. Needed], _drafts.Sum(draft => draft.ExpectedBytes));
        }
    }

    /// <summary>Pruning spares this generation, and no longer the one named before: a session continues it.</summary>
    internal void Continue(long generation)
    {
        lock (_gate) _continued = generation;
    }

    /// <summary>The committed generations, oldest first.</summary>
    public IReadOnlyList<GenerationInfo> Generations => [.. Entries.Select(entry => entry.ToInfo())];

    /// <summary>The newest generation, or null when the store is empty.</summary>
    public GenerationInfo? Newest => Entries is [.., ManifestEntry newest] ? newest.ToInfo() : null;

    /// <summary>
    /// Reads every byte of an image and its ancestors, or of all images, and lists everything that is wrong.
    /// </summary>
    /// <param name="generation">The generation, or null for all.</param>
    /// <param name="progress">Told about bytes read.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="SnapshotException">NotFound: there is no such generation. Damage is not thrown but
    /// reported.</exception>
    public Task<VerifyReport> VerifyAsync(
        long? generation = null, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default)
    {
        IReadOnlyList<ManifestEntry> entries = Entries;
        ManifestEntry? newest = generation is { } wanted ? Find(wanted) : null;
        return Task.Run(
            () =>
            {
                using StoreVerifier verifier = new(_medium, entries, progress);
                return verifier.Verify(newest is null ? entries : GenerationChain.Known(entries, newest), cancellation);
            },
            cancellation);
    }

    /// <summary>
    /// Replaces an incremental image by a full one of the same state, while the application may run. A full one stays
    /// as it is.
    /// </summary>
    /// <param name="generation">The generation.</param>
    /// <param name="progress">Told about bytes of memory copied.</param>
    /// <param name="cancellation">Ends the work; the store is unchanged then.</param>
    /// <exception cref="SnapshotException">NotFound, Corrupt, ChainBroken, StoreIo, OutcomeUnknown.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, or the store was closed.</exception>
    /// <exception cref="InvalidOperationException">The store is open for reading.</exception>
    public async Task<GenerationInfo> CompactAsync(
        long generation, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default)
    {
        ThrowIfNotWritable();
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(
            cancellation, _closing.Token);
        await _maintenance.WaitAsync(ending.Token).ConfigureAwait(false);
        try
        {
            ManifestEntry entry = Find(generation);
            if (entry.Parent is null) return entry.ToInfo();
            ImageMerger merger = new(this, _medium);
            return await Task.Run(() => merger.Merge(entry, int.MaxValue, progress, ending.Token), ending.Token)
                .ConfigureAwait(false);
        }
        finally
        {
            _maintenance.Release();
        }
    }

    /// <summary>
    /// Deletes the images that a policy does not keep, and never one that a kept image or one being written needs.
    /// </summary>
    /// <param name="policy">What to keep.</param>
    /// <param name="progress">Told about bytes deleted.</param>
    /// <param name="cancellation">Ends the work before anything is changed.</param>
    /// <returns>The generations deleted, oldest first.</returns>
    /// <exception cref="SnapshotException">StoreIo, OutcomeUnknown.</exception>
    /// <exception cref="InvalidOperationException">The store is open for reading.</exception>
    public async Task<IReadOnlyList<GenerationInfo>> PruneAsync(
        RetentionPolicy policy, IProgress<StoreProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ThrowIfNotWritable();
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(
            cancellation, _closing.Token);
        await _maintenance.WaitAsync(ending.Token).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Prune(policy, progress), ending.Token).ConfigureAwait(false);
        }
        finally
        {
            _maintenance.Release();
        }
    }

    /// <summary>The generations that <see cref="PruneAsync"/> would delete now.</summary>
    /// <param name="policy">What to keep.</param>
    public IReadOnlyList<GenerationInfo> PlanPrune(RetentionPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ObjectDisposedException.ThrowIf(_disposed, this);
        lock (_gate) return [.. Deletable(policy).Select(entry => entry.ToInfo())];
    }

    /// <summary>The number of the next generation.</summary>
    /// <exception cref="SnapshotException">StoreIo: there is no higher number.</exception>
    internal long NextGeneration => Newest switch
    {
        null => 1,
        { Generation: long.MaxValue } =>
            throw StoreErrors.NumbersUsedUp(Directory, "it holds the generation with the last number there is"),
        { } newest => newest.Generation + 1,
    };

    /// <summary>What an image says about itself.</summary>
    /// <param name="generation">The generation.</param>
    /// <exception cref="SnapshotException">NotFound, Corrupt, StoreIo, UnsupportedFormat.</exception>
    public ImageDescription Describe(long generation) => Reading(_ =>
    {
        ManifestEntry entry = Find(generation);
        using ImageReader image = GenerationChain.Open(_medium, entry, isAncestor: false);
        return ImageDescriber.Describe(entry.ToInfo(), image);
    });

    /// <summary>After a commit of unknown outcome: reads which generations there are and makes them durable.</summary>
    /// <exception cref="SnapshotException">OutcomeUnknown, still; StoreIo, Corrupt.</exception>
    internal void SettleOutcome()
    {
        lock (_gate) _manifest.Settle();
    }

    /// <summary>
    /// Starts a new image in a file that becomes visible by <see cref="Commit"/>. The caller ends the draft by that
    /// or by <see cref="Abandon"/>.
    /// </summary>
    internal ImageDraft BeginImage(
        ImageHeader header, ImageWriterOptions? options = null, CancellationToken cancellation = default)
    {
        lock (_gate)
        {
            ThrowIfNotWritable();
            _manifest.ThrowIfUnknown();
            IReadOnlyList<ManifestEntry> entries = _manifest.Entries;
            // Refused before the image is written, and not after.
            if (entries.Count == ManifestSlot.EntriesMax) throw StoreErrors.TooManyGenerations(Directory);
            if (entries is [.., ManifestEntry newest])
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(
                    header.Generation, newest.Generation, nameof(header));
            if (header.Parent is { } parent
                && !entries.Any(entry => entry.Generation == parent.Generation && entry.ImageId == parent.ImageId))
            {
                throw new SnapshotException(
                    SnapshotErrorCode.ChainBroken,
                    $"generation {parent.Generation}, the parent of the new image, is not in {Directory}. Make a " +
                    "full image.")
                {
                    Path = Directory,
                    Generation = parent.Generation,
                };
            }

            return BeginDraft(header, 0, options, cancellation);
        }
    }

    /// <summary>Starts a file that shall take the place of a generation's; ended as other drafts are.</summary>
    internal ImageDraft BeginRevision(ImageHeader header, int revision, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _manifest.ThrowIfUnknown();
            return BeginDraft(header, revision, null, cancellation);
        }
    }

    /// <summary>
    /// Makes a completed draft durable and visible. When it throws, the draft is gone, except with OutcomeUnknown.
    /// </summary>
    internal GenerationInfo Commit(ImageDraft draft) => Publish(draft);

    /// <summary>
    /// Drops a draft and its file. Nothing happens to a draft that was committed or abandoned before.
    /// </summary>
    internal void Abandon(ImageDraft draft)
    {
        lock (_gate) _drafts.Remove(draft);
        if (draft.End()) DeleteAfterFailure(draft.PartialName);
    }

    /// <summary>Opens an image and its ancestors, newest first. The caller disposes them.</summary>
    /// <exception cref="SnapshotException">NotFound, ChainBroken, Corrupt, StoreIo, UnsupportedFormat; it names the
    /// file.</exception>
    internal IReadOnlyList<ImageReader> OpenChain(long generation) =>
        Reading(entries => GenerationChain.OpenAll(_medium, entries, Find(generation)));

    /// <summary>Ends the work with the store, drops drafts that were not committed, and gives the lock back.</summary>
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
        ImageDraft[] drafts;
        lock (_gate) drafts = [.. _drafts];
        try
        {
            foreach (ImageDraft draft in drafts) Abandon(draft);
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
    /// Opens what the manifest lists; once more when it changed meanwhile, for compaction and pruning take files away
    /// that it listed before: what failed to open is not listed any more. Each further try needs a further change.
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

    private ManifestEntry Find(long generation) =>
        Entries.FirstOrDefault(entry => entry.Generation == generation)
        ?? throw new SnapshotException(
            SnapshotErrorCode.NotFound,
            $"{Directory} has no generation {generation}. 'snapshot list' shows what there is.")
        {
            Path = Directory,
            Generation = generation,
        };

    private ImageDraft BeginDraft(
        ImageHeader header, int revision, ImageWriterOptions? options, CancellationToken cancellation)
    {
        string name = ImageFileName.Of(header.Generation, revision);
        if (_drafts.Any(draft => draft.FileName == name))
            throw new InvalidOperationException($"{name} is being written already");
        IStoreFile file = _medium.Create(name + ImageFileName.PartialSuffix, Options.DirectIo);
        try
        {
            ImageDraft draft = new(file, name, revision, header, options, Space.BytesLeft, cancellation);
            _drafts.Add(draft);
            return draft;
        }
        catch
        {
            file.Dispose();
            _medium.Delete(name + ImageFileName.PartialSuffix);
            throw;
        }
    }

    /// <summary>The commit: image, name, directory, manifest, each durable before the next.</summary>
    private GenerationInfo Publish(ImageDraft draft)
    {
        if (draft.Summary is null) throw new InvalidOperationException("an image must be complete to be committed");
        ManifestEntry entry = draft.ToEntry();
        string file = draft.PartialName;
        try
        {
            draft.Sync();
            if (!draft.End()) throw new InvalidOperationException("the draft was committed or abandoned before");
            _medium.Rename(draft.PartialName, draft.FileName);
            file = draft.FileName;
            _medium.SyncDirectory();
            lock (_gate)
            {
                _manifest.Put(entry);
                _drafts.Remove(draft);
            }
        }
        catch (SnapshotException error)
        {
            lock (_gate) _drafts.Remove(draft);
            draft.End();
            // With an unknown outcome the manifest may list the file already.
            if (error.Code != SnapshotErrorCode.OutcomeUnknown) DeleteAfterFailure(file);
            throw;
        }

        return entry.ToInfo();
    }

    /// <summary>
    /// A failure to delete what is not visible undoes nothing, and must not hide the failure that led here: the next
    /// writer deletes the file.
    /// </summary>
    private void DeleteAfterFailure(string name)
    {
        try
        {
            _medium.Delete(name);
        }
        catch (SnapshotException)
        {
        }
    }

    /// <summary>Deletes what a policy does not keep. Maintenance is held.</summary>
    internal List<GenerationInfo> Prune(RetentionPolicy policy, IProgress<StoreProgress>? progress)
    {
        List<ManifestEntry> deleted;
        lock (_gate)
        {
            _manifest.ThrowIfUnknown();
            deleted = Deletable(policy);
            if (deleted.Count > 0) _manifest.Replace([.. _manifest.Entries.Except(deleted)]);
        }

        long bytesTotal = deleted.Sum(entry => entry.FileLength);
        long bytes = 0;
        foreach (ManifestEntry entry in deleted)
        {
            _medium.Delete(entry.FileName);
            bytes += entry.FileLength;
            progress?.Report(new StoreProgress(entry.Generation, bytes, bytesTotal));
        }

        return [.. deleted.Select(entry => entry.ToInfo())];
    }

    private List<ManifestEntry> Deletable(RetentionPolicy policy) =>
        Retention.Deletable(_manifest.Entries, policy, DateTimeOffset.UtcNow, Needed);

    /// <summary>Used inside the gate, as the one before.</summary>
    private IEnumerable<long> Needed =>
        _drafts.Select(draft => draft.Header.Parent?.Generation).Append(_continued).OfType<long>();

    private void ThrowIfNotWritable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (IsReadOnly)
            throw new InvalidOperationException($"the store {Directory} is open for reading; use {nameof(Open)}");
    }
}
