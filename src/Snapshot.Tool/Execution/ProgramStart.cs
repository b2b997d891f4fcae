using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Tool.Execution;

/// <summary>
/// What a program is started with, in its arena: <c>struct snt_program_start</c> in program.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProgramStart
{
    internal const string RootName = "program";

    internal long ArgumentCount;
    internal byte** Arguments;
    internal byte** Environment;

    /// <summary>Where it asks for a checkpoint, and is answered: descriptors of this process.</summary>
    internal int Asks;
    internal int Answers;

    /// <summary>1 when this process has opened the files of an earlier one again.</summary>
    internal long IsContinued;

    /// <summary>0 while it runs; then one more than its exit code.</summary>
    internal long Ended;

    internal readonly int ExitCode => (int)Ended - 1;

    /// <summary>The arguments, without the program's name.</summary>
    internal readonly IReadOnlyList<string> Words
    {
        get
        {
            List<string> words = [];
            for (long index = 1; index < ArgumentCount; index++)
                words.Add(Marshal.PtrToStringUTF8((nint)Arguments[index]) ?? "");
            return words;
        }
    }

    /// <summary>Copies a command line and this process's environment into the arena.</summary>
    internal void Fill(Arena arena, IReadOnlyList<string> line)
    {
        ArgumentCount = line.Count;
        Arguments = Copy(arena, line);
        Environment = Copy(
            arena,
            [.. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Select(pair => $"{pair.Key}={pair.Value}")]);
    }

    /// <summary>Texts as C has them, and a null pointer behind the last.</summary>
    private static byte** Copy(Arena arena, IReadOnlyList<string> texts)
    {
        byte** pointers = (byte**)arena.Allocate((texts.Count + 1) * sizeof(byte*));
        for (int index = 0; index < texts.Count; index++)
        {
            int bytes = Encoding.UTF8.GetByteCount(texts[index]);
            pointers[index] = (byte*)arena.Allocate(bytes + 1);
            Encoding.UTF8.GetBytes(texts[index], new Span<byte>(pointers[index], bytes));
        }

        return pointers;
    }
}
