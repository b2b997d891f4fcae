using System.Runtime.CompilerServices;
using Snapshot.Base;

namespace Snapshot;

/// <summary>What a restart may do.</summary>
public sealed class RestartOptions
{
    /// <summary>The generation to restart from.</summary>
    /// <value>
    /// Default null: the one that the environment variable <c>SNAPSHOT_RESTART</c> names, else the one chosen
    /// by <see cref="SnapshotStore.ChooseRestart"/>, else the newest.
    /// </value>
    /// <exception cref="ArgumentException">
    /// <see cref="Tag"/> or <see cref="ImageId"/> is given, too.
    /// </exception>
    public long? Generation { get; init => field = OneOf(value, Tag, ImageId); }

    /// <summary>
    /// The tag of the generation to restart from (<see cref="CheckpointOptions.Tag"/>): the newest that has
    /// it, of those that were passed over only if there is no other. Where none has it that is an error
    /// (NotFound), which names the tags there are. <see cref="AllowOlderGeneration"/> allows older ones
    /// whatever their tag.
    /// </summary>
    /// <value>Default null: any, as <see cref="Generation"/> says.</value>
    /// <exception cref="ArgumentException">
    /// It is no tag, or <see cref="Generation"/> or <see cref="ImageId"/> is given, too.
    /// </exception>
    public string? Tag
    {
        get;
        init => field = OneOf(value is { } tag ? RecordedTag.Checked(tag) : null, Generation, ImageId);
    }

    /// <summary>
    /// The id of the image to restart from (<see cref="GenerationInfo.ImageId"/>), whatever its number, and
    /// also where it was passed over or compacted: whoever noted the id gets that very state or an error
    /// (NotFound), which names the ids there are.
    /// </summary>
    /// <value>Default null: any, as <see cref="Generation"/> says.</value>
    /// <exception cref="ArgumentException">
    /// <see cref="Generation"/> or <see cref="Tag"/> is given, too.
    /// </exception>
    public Guid? ImageId { get; init => field = OneOf(value, Generation, Tag); }

    /// <summary>
    /// Whether to go to the newest older generation that verifies when the wanted one does not.
    /// <see cref="RestartInfo.Skipped"/> then tells what was passed over and why.
    /// </summary>
    /// <value>Default false: a damaged image is an error.</value>
    public bool AllowOlderGeneration { get; init; }

    /// <summary>
    /// When memory is read. Lazily, damage of a block is found after the session has begun, so
    /// <see cref="AllowOlderGeneration"/> is about what is read before: headers, indexes, protected buffers,
    /// and the tables of arenas.
    /// </summary>
    /// <value>
    /// Default <see cref="RestartFill.Eager"/>, or what the environment variable <c>SNAPSHOT_RESTART_FILL</c>
    /// says.
    /// </value>
    public RestartFill Fill { get; init => field = OptionValue.Defined(value); } =
        EnvironmentVariable.Of("SNAPSHOT_RESTART_FILL", RestartFill.Eager);

    /// <summary>Threads that read, verify and decode.</summary>
    /// <value>
    /// Default null: two per processor before the session begins, one of which may wait for the disk; one per
    /// processor while the participants run.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public int? Threads
    {
        get; init => field = value is { } threads
        ? OptionValue.AtLeast(threads, 1) : null;
    }

    /// <summary>
    /// Threads that stream in what a lazy restart left to come, where that is not <see cref="Threads"/>. With
    /// 0 only what is touched comes, which lets tests look at the time in between.
    /// </summary>
    internal int? StreamingThreads { get; init; }

    internal int ThreadsBefore => Threads ?? 2 * Environment.ProcessorCount;

    internal int ThreadsBeside => StreamingThreads ?? Threads ?? Environment.ProcessorCount;

    /// <summary>Whether it says which generation.</summary>
    internal bool NamesOne => Generation is not null || Tag is not null || ImageId is not null;

    /// <summary>The same for another generation.</summary>
    internal RestartOptions With(long? generation, bool allowOlder, string? tag = null) => new()
    {
        Generation = generation,
        Tag = tag,
        AllowOlderGeneration = allowOlder,
        Fill = Fill,
        Threads = Threads,
        StreamingThreads = StreamingThreads,
    };

    /// <summary>The same for an image.</summary>
    internal RestartOptions With(Guid imageId) => new()
    {
        ImageId = imageId,
        Fill = Fill,
        Threads = Threads,
        StreamingThreads = StreamingThreads,
    };

    private static T OneOf<T>(
        T value, object? other, object? another, [CallerMemberName] string option = "") =>
        value is null || (other ?? another) is null
            ? value
            : throw new ArgumentException(
                $"a restart is from a {nameof(Generation)}, a {nameof(Tag)} or an {nameof(ImageId)}, and " +
                "not from two of them", option);
}
