using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// Another process that writes memory of this one by process_vm_writev, as MPI does for a put: the kernel
/// pins up to 4 MiB, which takes the faults, and copies then.
/// </summary>
internal sealed unsafe partial class DevicePeer : IDisposable
{
    private const int Threads = 4;
    private const int PiecesMax = 60;

    private readonly Process _process;

    internal DevicePeer()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll");
        _process = Process.Start(new ProcessStartInfo("dotnet", ["exec", program, "device-peer"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>
    /// Writes pieces of memory, each once and with a content of its own, some at once and others a moment
    /// later; ends with them.
    /// </summary>
    internal Task Write(byte* at, long bytes, int pieceBytes, int seed)
    {
        _process.StandardInput.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessId} {(long)at} {bytes} {pieceBytes} {seed}"));
        _process.StandardInput.Flush();
        return Task.Run(() =>
        {
            if (_process.StandardOutput.ReadLine() != "written")
                throw new InvalidOperationException("the peer has ended");
        });
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The process.</summary>
    internal static int Run()
    {
        while (Console.ReadLine() is { } line)
        {
            long[] order =
                [.. line.Split(' ').Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
            long pieceBytes = order[3];
            int[] pieces = [.. Enumerable.Range(0, (int)(order[2] / pieceBytes) - 1)];
            Random random = new((int)order[4]);
            random.Shuffle(pieces);
            byte* to = (byte*)order[1] + random.NextInt64(pieceBytes);
            pieces = pieces[..Math.Min(pieces.Length, PiecesMax)];
            int next = -1;
            Thread[] writing = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
            {
                byte[] content = new byte[pieceBytes];
                for (int at; (at = Interlocked.Increment(ref next)) < pieces.Length; Thread.Sleep(at % 5))
                {
                    content.AsSpan().Fill((byte)(2 + at));
                    fixed (byte* from = content)
                        Write((int)order[0], from, to + (pieces[at] * pieceBytes), pieceBytes);
                }
            }))];
            Array.ForEach(writing, thread => thread.Start());
            Array.ForEach(writing, thread => thread.Join());
            Console.WriteLine("written");
        }

        return 0;
    }

    /// <summary>Writes memory of a process without a fault after the first.</summary>
    /// <exception cref="InvalidOperationException">Not all of it could be written.</exception>
    internal static void Write(int process, byte* from, byte* to, long bytes)
    {
        Part local = new((nint)from, (nuint)bytes), remote = new((nint)to, (nuint)bytes);
        nint written = process_vm_writev(process, &local, 1, &remote, 1, 0);
        if (written == bytes) return;
        throw new InvalidOperationException(
            $"process_vm_writev wrote {written} of {bytes} bytes: errno {Marshal.GetLastPInvokeError()}");
    }

    private readonly record struct Part(nint Address, nuint Bytes);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint process_vm_writev(
        int process, Part* local, nuint localParts, Part* remote, nuint remoteParts, nuint flags);
}
