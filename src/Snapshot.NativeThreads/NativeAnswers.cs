using System.Text;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory.Locks;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>Answers what native threads ask of the host.</summary>
/// <remarks>
/// To be called between safepoints of one participant, before it is parked, so that what was done and the
/// answer are in an image together or not at all.
/// </remarks>
internal sealed unsafe class NativeAnswers(NativeSpace space)
{
    /// <summary>Advanced for each question, and what there is to sleep on.</summary>
    internal static uint* Questions => NativeRuntime.snt_questions();

    /// <summary>Wakes who gives answers.</summary>
    internal static void LookAgain()
    {
        Interlocked.Increment(ref *Questions);
        Futex.WakeAll(Questions);
    }

    /// <summary>
    /// Answers all questions that are open. In a restarted session not before all modules are there: a
    /// question may refer to their memory.
    /// </summary>
    internal void Give()
    {
        if (!space.IsComplete) return;
        for (NativeEntry* entry = space.FirstEntry; entry != null; entry = entry->Next)
        {
            NativeRecord* record = NativeRecord.Of(entry);
            NativeQuestion* question = &record->Question;
            if (Volatile.Read(ref question->State) != NativeQuestion.Asked) continue;
            question->Answer = AnswerTo(question, record);
            NativeRuntime.snt_answered(record);
        }
    }

    /// <summary>What the answers to the kinds are is in native_thread.h.</summary>
    private ulong AnswerTo(NativeQuestion* question, NativeRecord* record)
    {
        switch (question->Kind)
        {
            case NativeQuestionKind.Allocate:
                return Allocate(question->First, question->Second);
            case NativeQuestionKind.Free:
                return Free((void*)question->First);
            case NativeQuestionKind.Root:
                return Root(question) is { } root ? (ulong)(space.Arena.BaseAddress + (nint)root.Offset) : 0;
            case NativeQuestionKind.RootBytes:
                return Root(question) is { } known ? (ulong)known.Bytes : 0;
            case NativeQuestionKind.Leave:
                ((ArenaMutex*)question->First)->ExitOnBehalfOf((int)record->Owner);
                return 0;
            case NativeQuestionKind.Wake:
                WaitTable.WakeFibers((uint*)question->First, (int)question->Second);
                return 0;
            default:
                throw new SnapshotException(
                    SnapshotErrorCode.NativeLibrary,
                    $"{NativeRuntime.File} asks a question of kind {(uint)question->Kind}, which " +
                    $"{NativeRuntime.Assembly} does not know: they are of different builds. Reinstall the " +
                    "package or rebuild the solution.");
        }
    }

    private ulong Allocate(ulong bytes, ulong alignment)
    {
        try
        {
            return (ulong)space.Arena.Allocate(
                (long)Math.Min(bytes, long.MaxValue), (int)Math.Min(alignment, int.MaxValue));
        }
        catch (Exception error) when (error is SnapshotException or ArgumentException)
        {
            // The thread is told so by a null pointer, as of malloc.
            return 0;
        }
    }

    private ulong Free(void* pointer)
    {
        try
        {
            space.Arena.Free(pointer);
            return 0;
        }
        catch (ArgumentException)
        {
            return Errno.Invalid;
        }
    }

    private ArenaRoot? Root(NativeQuestion* question)
    {
        string name = Encoding.UTF8.GetString((byte*)question->First, (int)question->Second);
        return space.Arena.Roots.FirstOrDefault(root => root.Name == name);
    }
}
