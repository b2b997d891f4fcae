using Snapshot.Base;
using Snapshot.Interop;

namespace Snapshot;

/// <summary>How a session behaves. Immutable; each property validates what it is given.</summary>
public sealed class SnapshotOptions
{
    /// <summary>How the store behaves: what it keeps, and how long a chain may grow.</summary>
    /// <value>Default: see <see cref="StoreOptions"/>.</value>
    public StoreOptions Store { get; init => field = OptionValue.NotNull(value); } = new();

    /// <summary>What a restart may do: which generation, whether an older one, when memory is read.</summary>
    /// <value>Default: see <see cref="RestartOptions"/>.</value>
    public RestartOptions Restart { get; init => field = OptionValue.NotNull(value); } = new();

    /// <summary>
    /// Where the arenas lie that the session makes: sessions of several processes that may have to live in
    /// one, such as ranks of a job, get a window each. Arenas of an image lie where they were made.
    /// </summary>
    /// <value>Default null: at the first free place of the whole range.</value>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    public AddressWindow? AddressWindow { get; init => field = value?.Checked(); }

    /// <summary>How changed pages are kept as they are at the capture.</summary>
    /// <value>
    /// Default <see cref="CaptureMode.Auto"/>, or what the environment variable <c>SNAPSHOT_CAPTURE</c> says:
    /// the name of a mode. <see cref="ArenaOptions.Capture"/> overrides it for an arena.
    /// </value>
    public CaptureMode Capture { get; init => field = OptionValue.Defined(value); } =
        EnvironmentDefaults.Capture;

    /// <summary>
    /// Whether system calls that read or write arenas must work at every moment: for programs in which
    /// others make them, such as MPI, whose messages are sent and received by them.
    /// </summary>
    /// <remarks>
    /// Without privilege a system call that writes to memory which is captured by copy-on-write fails with
    /// EFAULT, and so does one that touches memory which a lazy restart has not read yet: a message then
    /// fails or never ends, or the process is aborted. With this option copy-on-write is refused where that
    /// is so (Unsupported) if the program asks for it, and so is tracking by signals. Memory is read before
    /// the session begins, whatever <see cref="RestartOptions.Fill"/> says, and
    /// <see cref="RestartInfo.FillReason"/> tells why.
    /// </remarks>
    /// <value>Default false.</value>
    public bool SystemCallsMustWork { get; init; }

    /// <summary>How blocks of pages are encoded in an image.</summary>
    /// <value>
    /// Default <see cref="BlockEncoding.Auto"/>: what shrinks the block at hand, plain when nothing does.
    /// </value>
    public BlockEncoding Encoding { get; init => field = OptionValue.Defined(value); } = BlockEncoding.Auto;

    /// <summary>What changes speed and memory, and nothing else.</summary>
    /// <value>Default: see <see cref="SnapshotTuning"/>.</value>
    public SnapshotTuning Tuning { get; init => field = OptionValue.NotNull(value); } = new();

    /// <summary>
    /// Time from a request to the moment every participant has come, unless the request says otherwise.
    /// </summary>
    /// <value>
    /// Default 60 seconds: longer than any sensible distance between two safepoints, short enough to notice a
    /// hang.
    /// </value>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan Timeout { get; init => field = OptionValue.Positive(value); } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Whether participants wait until all resume parts are done: after a restart, after each checkpoint, or
    /// never. A participant may override it.
    /// </summary>
    /// <value>Default <see cref="Gates.None"/>: locks that live in arenas order what needs order.</value>
    public Gates Gates { get; init; } = Gates.None;

    /// <summary>How long a gate stays closed after a restart before the restart has failed.</summary>
    /// <value>Default 60 seconds.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan GateTimeout { get; init => field = OptionValue.Positive(value); } =
        TimeSpan.FromSeconds(60);

    /// <summary>
    /// The same for a rank of a job, which decides what is restored, what stays, and where.
    /// </summary>
    internal SnapshotOptions ForRank(
        StoreOptions store, RestartOptions restart, AddressWindow window) => new()
        {
            Store = store,
            Restart = restart,
            AddressWindow = window,
            SystemCallsMustWork = true,
            Capture = Capture,
            Encoding = Encoding,
            Tuning = Tuning,
            Timeout = Timeout,
            Gates = Gates,
            GateTimeout = GateTimeout,
        };
}
