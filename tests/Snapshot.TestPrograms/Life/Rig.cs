using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms.Life;

/// <summary>What becomes of the call that is hit; the numbers are those of rig.h.</summary>
internal enum RigAction
{
    Nothing,
    Fail,
    Short,
    Delay,
    Tear,
    Kill,
    KillAfter,
}

/// <summary>
/// The fault rig, when it is preloaded into this process: arms a fault, counts calls, records them.
/// </summary>
internal static unsafe class Rig
{
    internal const int FileKinds = 18;
    internal const int Kinds = 27;
    internal const int Any = Kinds;

    private static readonly nint s_library = Find();

    internal static bool IsLoaded => s_library != 0;

    /// <summary>How many calls the armed fault has hit.</summary>
    internal static long Hits => IsLoaded ? ((delegate* unmanaged<long>)Export("rig_hits"))() : 0;

    /// <summary>The path of the last file call that was hit.</summary>
    internal static string LastPath
    {
        get
        {
            byte* path = stackalloc byte[1024];
            ((delegate* unmanaged<byte*, int, void>)Export("rig_last_path"))(path, 1024);
            return Marshal.PtrToStringUTF8((nint)path)!;
        }
    }

    internal static void Watch(string prefix)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(prefix);
        ((delegate* unmanaged<nint, void>)Export("rig_watch"))(text);
        Marshal.FreeCoTaskMem(text);
    }

    /// <summary>
    /// The nth call of a kind from now on, or with <paramref name="each"/> that and all after it.
    /// </summary>
    internal static void Arm(int kind, long nth, RigAction action, int value, bool each) =>
        ((delegate* unmanaged<int, long, int, int, int, void>)Export("rig_arm"))(
            kind, nth, (int)action, value, each ? 1 : 0);

    internal static void Disarm() => ((delegate* unmanaged<void>)Export("rig_disarm"))();

    internal static long Count(int kind) => ((delegate* unmanaged<int, long>)Export("rig_count"))(kind);

    internal static void ResetCounts() => ((delegate* unmanaged<void>)Export("rig_reset_counts"))();

    internal static string Name(int kind) =>
        Marshal.PtrToStringUTF8(((delegate* unmanaged<int, nint>)Export("rig_name"))(kind))!;

    internal static int KindOf(string name) =>
        Enumerable.Range(0, Kinds + 1).First(kind => Name(kind) == name);

    /// <summary>Begins a recording, or ends it with null.</summary>
    internal static void Record(string? file)
    {
        nint text = file is null ? 0 : Marshal.StringToCoTaskMemUTF8(file);
        int errno = ((delegate* unmanaged<nint, int>)Export("rig_record"))(text);
        Marshal.FreeCoTaskMem(text);
        if (errno != 0) throw new IOException($"cannot record into '{file}': {errno}");
    }

    /// <summary>Puts a word into the recording.</summary>
    internal static void Mark(string word)
    {
        if (!IsLoaded) return;
        nint text = Marshal.StringToCoTaskMemUTF8(word);
        ((delegate* unmanaged<nint, void>)Export("rig_mark"))(text);
        Marshal.FreeCoTaskMem(text);
    }

    private static nint Export(string name) => NativeLibrary.GetExport(s_library, name);

    private static nint Find() =>
        Environment.GetEnvironmentVariable("LD_PRELOAD") is { Length: > 0 } path && path.EndsWith("rig.so")
            ? NativeLibrary.Load(path)
            : 0;
}
