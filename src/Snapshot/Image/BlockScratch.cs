namespace Snapshot.Image;

internal sealed class BlockScratch : IDisposable
{
    public void Dispose() => throw new NotImplementedException();
}
