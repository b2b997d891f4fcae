namespace Snapshot.Tests;

/// <summary>Unmaps an arena that belongs to no session at the end of a scope.</summary>
internal readonly struct ArenaCloser(Arena arena) : IDisposable
{
    public void Dispose() => arena.Close();
}
