using Snapshot.Memory;

namespace Snapshot;

public sealed partial class SnapshotSession
{
    private static readonly ProtectOptions s_protectNow = new();

    /// <inheritdoc cref="Protect{T}(string, T[], ProtectOptions)"/>
    public void Protect<T>(string name, T[] array) where T : unmanaged => Protect(name, array, s_protectNow);

    /// <summary>
    /// Makes a managed array part of the image, and after a restart fills it with what the image has.
    /// </summary>
    /// <param name="name">Unique in the session.</param>
    /// <param name="array">
    /// On the pinned heap (<see cref="GC.AllocateArray{T}(int, bool)"/>); as long as it was in the image.
    /// Nobody else writes it until this returns.
    /// </param>
    /// <param name="options">When it is filled, and how changes are found.</param>
    /// <exception cref="SnapshotException">NameTaken, LayoutMismatch (another length).</exception>
    public void Protect<T>(string name, T[] array, ProtectOptions options) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        Protect(ProtectedBuffer.Of(name, array), options);
    }

    /// <inheritdoc cref="Protect(string, void*, long, ProtectOptions)"/>
    public unsafe void Protect(string name, void* address, long bytes) =>
        Protect(name, address, bytes, s_protectNow);

    /// <summary>
    /// Makes a range of native memory part of the image, and after a restart fills it with what the image
    /// has.
    /// </summary>
    /// <remarks>
    /// Any memory that can be read and written: of malloc, of mmap, of a library, shared or not. What changed
    /// of it is found out by the kernel where it can tell (private memory of 16 pages or more), else by its
    /// content. Memory that is freed, or moved by realloc, is unprotected before. Where it was not, and is
    /// not mapped at a checkpoint, that checkpoint fails (<see cref="SnapshotErrorCode.MemoryGone"/>); where
    /// there is other memory by then, that is captured.
    /// </remarks>
    /// <param name="name">Unique in the session.</param>
    /// <param name="address">The first byte; valid until it is unprotected or the session closed.</param>
    /// <param name="bytes">
    /// As many as it had in the image. Nobody else writes them until this returns.
    /// </param>
    /// <param name="options">When it is filled, and how changes are found.</param>
    /// <exception cref="SnapshotException">
    /// NameTaken, LayoutMismatch (another length), MemoryGone (nothing is mapped there).
    /// </exception>
    public unsafe void Protect(string name, void* address, long bytes, ProtectOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        Protect(ProtectedBuffer.Of(name, address, bytes), options);
    }

    /// <summary>
    /// Leaves a protected buffer out of later images. When this returns its memory may be freed, and its name
    /// given to other memory of any length, which begins anew.
    /// </summary>
    /// <remarks>
    /// A checkpoint that has captured it already has it in its image, and needs nothing more of it. Waits for
    /// the end of a pause, if there is one; never for a drain. What the image had of the buffer and was not
    /// filled yet is let go.
    /// </remarks>
    /// <param name="name">Its name.</param>
    /// <returns>Whether there was such a buffer.</returns>
    public bool Unprotect(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ThrowIfDisposed();
        return _memory.Unprotect(name);
    }

    /// <summary>
    /// Fills a buffer, protected with <see cref="ProtectFill.Later"/>, with what the image had of it when the
    /// session was restarted.
    /// </summary>
    /// <remarks>
    /// A write like others: nobody else writes the buffer meanwhile, and a thread that does it beside
    /// participants holds checkpoints back as it would for other writes.
    /// </remarks>
    /// <param name="name">Its name.</param>
    /// <returns>False where the image had no such buffer, or it was filled already.</returns>
    /// <exception cref="SnapshotException">NotFound: no buffer of that name is protected.</exception>
    public bool Fill(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ThrowIfDisposed();
        return _memory.Fill(name);
    }

    /// <summary>
    /// Leaves a protected buffer of the image out of the next images: this program needs it no more. For one
    /// that is to be filled later it lets go of what the image had.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <returns>Whether the image had such a buffer, not yet filled.</returns>
    public bool DropRestoredBuffer(string name) => _memory.DropRestoredBuffer(name);

    private void Protect(ProtectedBuffer buffer, ProtectOptions options)
    {
        try
        {
            _memory.Protect(buffer, options);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }
}
