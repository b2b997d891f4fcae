using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.C;

/// <summary>What a handle of C points to: a word that polls read, and the object of C# behind it.</summary>
/// <remarks>
/// The memory of a handle that was released is used for later handles and never given back: what a program
/// does with a released one is an error that can be told, unless there is a newer one in its place. The first
/// word is public: snapshot_poll in snapshot.h reads it.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Handle
{
    private static readonly ConcurrentStack<nint> s_released = new();

    private readonly int* _stop;
    private nint _target; // of a GCHandle, or 0: released

    private Handle(object target)
    {
        _stop = StopSignal.Word;
        _target = GCHandle.ToIntPtr(GCHandle.Alloc(target));
    }

    /// <summary>Makes a handle, which keeps the object alive until it is released.</summary>
    internal static Handle* New(object target)
    {
        if (!s_released.TryPop(out nint memory)) memory = (nint)NativeMemory.Alloc((nuint)sizeof(Handle));
        Handle* handle = (Handle*)memory;
        *handle = new Handle(target);
        return handle;
    }

    /// <summary>The object behind a handle that a program gave.</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="what">What it should be, for messages, such as "session".</param>
    /// <exception cref="ArgumentException">It is NULL, or of something else.</exception>
    /// <exception cref="InvalidOperationException">It was released.</exception>
    /// <exception cref="ForkedException">This is a forked child.</exception>
    internal static T Open<T>(Handle* handle, string what)
        where T : class
    {
        ForkedException.ThrowIfChild();
        return Peek<T>(handle, what);
    }

    /// <summary>The same in a forked child too.</summary>
    internal static T Peek<T>(Handle* handle, string what)
        where T : class
    {
        if (handle is null) throw new ArgumentException($"The {what} is NULL.");
        nint target = Volatile.Read(ref handle->_target);
        if (target == 0)
            throw new InvalidOperationException($"The {what} was closed, waited for or detached before.");
        return GCHandle.FromIntPtr(target).Target as T
            ?? throw new ArgumentException($"What is given for a {what} is a handle of something else.");
    }

    /// <summary>Releases it, once; false when that was done before.</summary>
    internal static bool Release(Handle* handle)
    {
        nint target = Interlocked.Exchange(ref handle->_target, 0);
        if (target == 0) return false;
        GCHandle.FromIntPtr(target).Free();
        s_released.Push((nint)handle);
        return true;
    }
}
