using System.Text;
using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>What C says of a session, as the .NET library takes it.</summary>
internal static unsafe class SessionOptions
{
    internal static SnapshotOptions Of(in COptions options)
    {
        OpenFlags flags = (OpenFlags)options.Flags;
        SnapshotOptions defaults = new();
        return new SnapshotOptions
        {
            AddressWindow = options.WindowBytes == 0
                ? null
                : new AddressWindow(
                    (int)Math.Clamp(options.Window, -1, int.MaxValue), options.WindowBytes),
            SystemCallsMustWork = flags.HasFlag(OpenFlags.SystemCallsMustWork),
            Timeout = Seconds.OrNull(options.Timeout, "timeout") ?? defaults.Timeout,
            Store = new StoreOptions
            {
                Retention = options.Keep == 0
                    ? new RetentionPolicy()
                    : new RetentionPolicy { KeepLast = options.Keep },
                AllowUnlocked = flags.HasFlag(OpenFlags.AllowUnlocked),
                Waiting = Say,
            },
            Restart = new RestartOptions
            {
                Generation = options.Generation == 0 ? null : options.Generation,
                Tag = Text.OrNull(options.Tag, "tag"),
                AllowOlderGeneration = flags.HasFlag(OpenFlags.AllowOlder),
                Fill = flags.HasFlag(OpenFlags.Lazy) ? RestartFill.Lazy : defaults.Restart.Fill,
            },
            Tuning = new SnapshotTuning
            {
                StagingLimit = options.StagingLimit == 0
                    ? defaults.Tuning.StagingLimit
                    : options.StagingLimit,
                EncoderThreads = options.Encoders == 0 ? defaults.Tuning.EncoderThreads : options.Encoders,
            },
        };
    }

    internal static ArenaOptions ArenaOf(in COptions options) =>
        options.Capacity == 0 ? new ArenaOptions() : new ArenaOptions { Capacity = options.Capacity };

    /// <summary>Told when opening waits for the process that has the store.</summary>
    private static void Say(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* first = bytes) LibraryNative.sn_say(first, bytes.Length);
    }
}
