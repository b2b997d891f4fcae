using System.Runtime.CompilerServices;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.NativeThreads;

/// <summary>
/// The structs that the runtime of native threads and C# share, as they were compiled here; threads/layout.c
/// has the same list.
/// </summary>
internal static unsafe class NativeStructs
{
    /// <summary>In the order of layout.c.</summary>
    internal static IEnumerable<NativeStruct> All =>
        [OfModule(), OfQuestion(), OfRecord(), OfEnvironment(), OfMutex(), OfBarrier()];

    private static NativeStruct OfModule()
    {
        LoadedModule it;
        return new NativeStruct("snt_module", &it, sizeof(LoadedModule))
        {
            { "first", &it.First },
            { "end", &it.End },
            { "tls_offset", &it.ThreadLocalOffset },
            { "tls_bytes", &it.ThreadLocalBytes },
            { "tls_at", &it.ThreadLocalKeptAt },
        };
    }

    private static NativeStruct OfQuestion()
    {
        NativeQuestion it;
        return new NativeStruct("snt_question", &it, sizeof(NativeQuestion))
        {
            { "state", &it.State },
            { "kind", (uint*)&it.Kind },
            { "arguments", &it.First, 2 * sizeof(ulong) },
            { "answer", &it.Answer },
        };
    }

    /// <summary>What lies behind the name is the runtime's alone.</summary>
    private static NativeStruct OfRecord()
    {
        NativeRecord it;
        return new NativeStruct("snt_record", &it, NativeSpaceCheck.RecordBytes)
        {
            { "state", &it.State, sizeof(ulong) },
            { "function", &it.Function },
            { "argument", &it.Argument },
            { "result", &it.Result },
            { "stack_low", &it.StackLow },
            { "stack_high", &it.StackHigh },
            { "signal_stack", &it.SignalStack },
            { "frame", &it.Frame },
            { "fs_base", &it.FsBase },
            { "canary", &it.Canary },
            { "pointer_guard", &it.PointerGuard },
            { "saved_errno", &it.SavedErrno },
            { "seat", &it.Seat },
            { "owner", &it.Owner },
            { "reserved", &it.Reserved },
            { "question", &it.Question, sizeof(NativeQuestion) },
            { "name", it.Name, NativeRecord.NameSize },
        };
    }

    private static NativeStruct OfEnvironment()
    {
        EnvironmentAnswer it;
        return new NativeStruct("snt_environment", &it, sizeof(EnvironmentAnswer))
        {
            { "vector_state", &it.VectorState },
            { "signal_stack_min", &it.SignalStackMin },
            { "errno_offset", &it.ErrnoOffset },
            { "libc_version", it.LibcVersion, EnvironmentAnswer.VersionBytes },
        };
    }

    private static NativeStruct OfMutex()
    {
        ArenaMutex it = default;
        return new NativeStruct("sn_mutex", &it, sizeof(ArenaMutex)) { { "word", Of(ref it.Word) } };
    }

    private static NativeStruct OfBarrier()
    {
        ArenaBarrier it = default;
        int* reserved = Of(ref Reserved(ref it));
        return new NativeStruct("sn_barrier", &it, sizeof(ArenaBarrier))
        {
            { "state", Of(ref State(ref it)) },
            { "participants", Of(ref Participants(ref it)) },
            { "reserved", reserved },
            { "records", reserved + 1, ArenaBarrier.MaxParticipants * sizeof(ulong) },
        };
    }

    /// <summary>Of what is on the stack.</summary>
    private static T* Of<T>(ref T field)
        where T : unmanaged =>
        (T*)Unsafe.AsPointer(ref field);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_state")]
    private static extern ref ulong State(ref ArenaBarrier barrier);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_participants")]
    private static extern ref int Participants(ref ArenaBarrier barrier);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_reserved")]
    private static extern ref int Reserved(ref ArenaBarrier barrier);
}
