using System.Diagnostics;
using System.Globalization;

namespace Snapshot.Machines;

/// <summary>One boot of a machine under emulation: needs no root, and no support by the processor.</summary>
internal static class Guest
{
    internal const string Emulator = "qemu-system-x86_64";

    private const string Parameters = "console=ttyS0 quiet mitigations=off panic=-1 no_timer_check";

    /// <summary>Boots it and waits until it has powered itself off.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="initramfs">Its first file system.</param>
    /// <param name="memoryMegabytes">Its memory.</param>
    /// <param name="disks">The root image, the job, and what the job asks for.</param>
    /// <param name="silence">A job that prints nothing for so long is stuck: it is ended, and told.</param>
    /// <param name="observe">Told each line of the console as it comes.</param>
    /// <exception cref="MachineException">The emulator is not there.</exception>
    internal static async Task<GuestResult> RunAsync(
        string kernel, string initramfs, int memoryMegabytes, IEnumerable<GuestDisk> disks, TimeSpan silence,
        Action<string> observe)
    {
        ProcessStartInfo start = new(
            HostProgram.Find(Emulator) ?? throw HostProgram.Missing(Emulator),
            [
                "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
                // Without SMAP, since the emulator returns from a signal handler of .NET, by an iret of user
                // mode, with the rights of the kernel, which may not read a stack of user mode then: the
                // guest dies.
                "-accel", "tcg,thread=multi", "-cpu", "max,smap=off", "-smp", "2",
                "-m", memoryMegabytes.ToString(CultureInfo.InvariantCulture),
                "-kernel", kernel, "-initrd", initramfs, "-append", Parameters,
                .. disks.SelectMany((disk, index) => disk.Options(index)),
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Stopwatch time = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        GuestConsole console = new(process.StandardOutput, observe);
        string? stuckAfter = null;
        if (!await console.ReadToEndAsync(silence).ConfigureAwait(false))
        {
            stuckAfter = console.Lines.Count == 0 ? "" : console.Lines[^1];
            // Asks where the programs stand, and listens until that is told, too.
            await process.StandardInput.WriteLineAsync().ConfigureAwait(false);
            await process.StandardInput.FlushAsync().ConfigureAwait(false);
            if (!await console.ReadToEndAsync(silence).ConfigureAwait(false)) process.Kill();
        }

        await process.WaitForExitAsync().ConfigureAwait(false);
        string failure = (await errors.ConfigureAwait(false)).Trim();
        if (process.ExitCode != 0 && stuckAfter is null)
        {
            throw new MachineException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Emulator} ended with exit code {process.ExitCode}: {failure}"));
        }

        return new GuestResult(console.Lines, stuckAfter, time.Elapsed, silence) { EmulatorSaid = failure };
    }
}
