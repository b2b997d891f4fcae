namespace Snapshot.Image;

/// <summary>What a thread of an image's writer does.</summary>
internal enum ImageTask
{
    Encode,
    Write,
}
