using System.Formats.Tar;
using System.Text;

namespace Snapshot.Machines;

/// <summary>
/// What a guest is to do: a shell script, whom it runs as, and files beside it. A tar on its second disk has
/// them.
/// </summary>
/// <param name="Script">
/// Runs in /job with the programs in /app; <c>run NAME ARGUMENTS</c> starts one of them. Its exit code is the
/// job's.
/// </param>
/// <param name="IsRoot">Whether it runs as root, or as an ordinary user.</param>
internal sealed record Job(string Script, bool IsRoot)
{
    private const string EndMark = "snapshot-machines: the job ended with exit code ";

    /// <summary>Of the guest.</summary>
    internal int MemoryMegabytes { get; init; } = 2500;

    /// <summary>Files of this machine that are put beside the script.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>
    /// The first process of a guest, in its root image. A line on the console asks where the programs stand:
    /// of a job that is stuck that is the first thing to know.
    /// </summary>
    internal const string Init = $$"""
        #!/bin/sh
        export PATH=/bin
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        mount -t devtmpfs dev /dev
        mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
        ip link set lo up
        stty cols 160 </dev/console
        tar xf /dev/vdb -C /job
        chmod -R a+rX /job
        cd /job
        tell_where() {
            read -r asked </dev/console
            for p in $(pidof dotnet); do
                echo "Process $p: $(tr '\0' ' ' </proc/$p/cmdline)"
                for t in /proc/$p/task/*; do echo "$(cat $t/comm): $(cat $t/wchan), $(cat $t/syscall)"; done
            done
            . ./environment.sh
            for p in $(pidof dotnet); do run Snapshot.Tool stacks $p; done
        }
        tell_where &
        su -s /bin/sh "$(cat user)" -c 'sh job.sh'
        echo "{{EndMark}}$?"
        poweroff -f

        """;

    /// <summary>
    /// What the programs find in a guest. Most of the time goes into compiling, and counting for a better
    /// second compilation would be a fifth of it.
    /// </summary>
    private const string Environment = """
        export PATH=/bin:/dotnet DOTNET_ROOT=/dotnet HOME=/tmp TMPDIR=/tmp TERM=dumb NO_COLOR=1
        export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_TieredPGO=0
        ulimit -c 0
        run() { program=$1; shift; dotnet "/app/$program.dll" "$@"; }

        """;

    private const string Greeting = """
        . ./environment.sh
        echo "Linux $(uname -r), as $(id -un)."

        """;

    /// <summary>
    /// This job, then more in the same guest; a job of <see cref="GuestJobs"/> ends where it fails.
    /// </summary>
    internal Job Then(string script) => this with { Script = Script + script };

    /// <summary>The exit code that a line of the console tells, or null.</summary>
    internal static int? ExitCodeIn(string line)
    {
        int mark = line.IndexOf(EndMark, StringComparison.Ordinal);
        return mark >= 0 && int.TryParse(line.AsSpan(mark + EndMark.Length).TrimEnd(), out int code)
            ? code : null;
    }

    /// <summary>Writes the tar; it is padded to whole sectors, as a disk is.</summary>
    internal void WriteTo(string file)
    {
        using TarWriter tar = new(File.Create(file), TarEntryFormat.Ustar);
        Add(tar, "user", IsRoot ? "root" : RootImage.User);
        Add(tar, "environment.sh", Environment);
        Add(tar, "job.sh", Greeting + Script);
        foreach (string beside in Files) tar.WriteEntry(beside, Path.GetFileName(beside));
    }

    private static void Add(TarWriter tar, string name, string text)
    {
        MemoryStream data = new(Encoding.UTF8.GetBytes(text));
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data });
    }
}
