using System.Globalization;
using System.Text;

namespace Snapshot.Storage;

/// <summary>How the process that holds a lock is doing, as far as one can tell from here.</summary>
internal enum HolderState
{
    /// <summary>It runs, or nobody can tell.</summary>
    Alive,

    /// <summary>It was killed and is not gone yet: the kernel takes its memory apart.</summary>
    Dying,

    /// <summary>There is no such process any more.</summary>
    Gone,

    /// <summary>It is of another machine, or of another container.</summary>
    Elsewhere,
}

/// <summary>Who holds a lock, as the lock file has it (docs/FORMAT.md, section 3.4).</summary>
internal sealed record LockHolder(
    Guid Session, string Host, string Boot, string Namespace, int Process, long Started, string Program)
{
    /// <summary>The calling process, with an id of its own for each lock.</summary>
    internal static LockHolder New() => new(
        Guid.NewGuid(),
        Environment.MachineName,
        ProcessState.BootId,
        ProcessState.Namespace,
        Environment.ProcessId,
        ProcessState.Of(Environment.ProcessId)?.Started ?? 0,
        Path.GetFileName(Environment.ProcessPath) ?? "");

    /// <summary>Null when it is not what a writer leaves.</summary>
    internal static LockHolder? Parse(string text)
    {
        Dictionary<string, string> values = [];
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0) values[line[..space]] = line[(space + 1)..];
        }

        string Value(string name) => values.GetValueOrDefault(name, "");
        bool isWhole = Guid.TryParse(Value("session"), out Guid session)
            & int.TryParse(Value("pid"), NumberStyles.None, CultureInfo.InvariantCulture, out int process)
            & long.TryParse(
                Value("started"), NumberStyles.None, CultureInfo.InvariantCulture, out long started);
        return isWhole
            ? new LockHolder(
                session, Value("host"), Value("boot"), Value("namespace"), process, started, Value("program"))
            : null;
    }

    internal byte[] ToBytes() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"session {Session}\nhost {Host}\nboot {Boot}\nnamespace {Namespace}\npid {Process}\nstarted " +
        $"{Started}\nprogram {Program}\n"));

    /// <summary>How it is doing, seen from another process of this machine.</summary>
    internal HolderState State(LockHolder from)
    {
        if (Boot != from.Boot || Namespace != from.Namespace) return HolderState.Elsewhere;
        return ProcessState.Of(Process) switch
        {
            null => HolderState.Gone,
            { } now when now.Started != Started => HolderState.Gone,
            { IsDying: true } => HolderState.Dying,
            _ => HolderState.Alive,
        };
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"process {Process} ({Program}) on {Host}");
}
