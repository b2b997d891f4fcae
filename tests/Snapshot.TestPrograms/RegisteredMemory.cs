using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>
/// Memory that is registered with io_uring, as a network card's would be: its pages are pinned once, for good,
/// and what is read into it later takes no fault.
/// </summary>
internal sealed unsafe partial class RegisteredMemory : IDisposable
{
    // Numbers of x86-64 and arm64.
    private const int Setup = 425;
    private const int Enter = 426;
    private const int Register = 427;

    private const nint SubmissionRing = 0;
    private const nint CompletionRing = 0x8000000;
    private const nint Submissions = 0x10000000;
    private const int RingBytes = 4096;
    private const byte ReadFixed = 4;
    private const int GetEvents = 1;
    private const int RegisterBuffers = 0;

    private readonly int _ring;
    private readonly byte* _memory;
    private readonly byte* _submission;
    private readonly byte* _completion;
    private readonly byte* _entries;
    private readonly uint* _words;
    private readonly FileStream _source;

    private RegisteredMemory(int ring, byte* memory, uint* words)
    {
        _ring = ring;
        _memory = memory;
        _words = words;
        _submission = LibC.Map(RingBytes, LibC.Shared, ring, offset: SubmissionRing);
        _completion = LibC.Map(RingBytes, LibC.Shared, ring, offset: CompletionRing);
        _entries = LibC.Map(RingBytes, LibC.Shared, ring, offset: Submissions);
        _source = new FileStream(
            Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1,
            FileOptions.DeleteOnClose);
    }

    /// <summary>Null: this machine, or this user, has no io_uring.</summary>
    internal static RegisteredMemory? TryPin(byte* memory, long bytes)
    {
        uint* words = (uint*)NativeMemory.AllocZeroed(WordsOfParameters * sizeof(uint));
        int ring = (int)syscall(Setup, 4, (nint)words, 0, 0, 0, 0);
        if (ring < 0)
        {
            NativeMemory.Free(words);
            return null;
        }

        RegisteredMemory registered = new(ring, memory, words);
        nint* buffer = stackalloc nint[2] { (nint)memory, (nint)bytes };
        if (syscall(Register, ring, RegisterBuffers, (nint)buffer, 1, 0, 0) == 0) return registered;
        registered.Dispose();
        return null;
    }

    /// <summary>The kernel writes this to the pinned pages.</summary>
    internal void Receive(long offset, ReadOnlySpan<byte> content)
    {
        RandomAccess.Write(_source.SafeFileHandle, content, 0);
        new Span<byte>(_entries, 64).Clear();
        _entries[0] = ReadFixed;
        *(int*)(_entries + 4) = (int)_source.SafeFileHandle.DangerousGetHandle();
        *(byte**)(_entries + 16) = _memory + offset;
        *(int*)(_entries + 24) = content.Length;
        uint* tail = (uint*)(_submission + _words[SubmissionTail]);
        uint mask = *(uint*)(_submission + _words[SubmissionMask]);
        *((uint*)(_submission + _words[SubmissionArray]) + (*tail & mask)) = 0;
        Volatile.Write(ref *tail, *tail + 1);
        nint entered = syscall(Enter, _ring, 1, 1, GetEvents, 0, 0);
        uint* head = (uint*)(_completion + _words[CompletionHead]);
        mask = *(uint*)(_completion + _words[CompletionMask]);
        int read = *(int*)(_completion + _words[Completions] + (16 * (*head & mask)) + 8);
        Volatile.Write(ref *head, *head + 1);
        if (entered != 1 || read != content.Length)
            throw new InvalidOperationException($"io_uring: entered {entered}, read {read}");
    }

    public void Dispose()
    {
        LibC.Unmap(_submission, RingBytes);
        LibC.Unmap(_completion, RingBytes);
        LibC.Unmap(_entries, RingBytes);
        _ = LibC.close(_ring);
        NativeMemory.Free(_words);
        _source.Dispose();
    }

    // struct io_uring_params, in words of 4 bytes: 10 of its own, then where things are in the two rings.
    private const int WordsOfParameters = 30;
    private const int SubmissionTail = 11;
    private const int SubmissionMask = 12;
    private const int SubmissionArray = 16;
    private const int CompletionHead = 20;
    private const int CompletionMask = 22;
    private const int Completions = 25;

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(
        nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);
}
