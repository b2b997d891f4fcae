using Snapshot.C.Interface;

namespace Snapshot.C;

/// <summary>A forked child called what only the process may call that opened the session.</summary>
internal sealed class ForkedException : Exception
{
    private ForkedException()
        : base(
            "This process was forked from one that has the session open. It has the arrays as plain " +
            "memory, and takes no part in checkpoints. Let the parent call, or use exec.")
    {
    }

    internal static void ThrowIfChild()
    {
        if (LibraryNative.sn_is_forked_child() != 0) throw new ForkedException();
    }
}
