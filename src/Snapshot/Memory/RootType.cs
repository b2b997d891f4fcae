using System.Diagnostics.CodeAnalysis;

namespace Snapshot.Memory;

/// <summary>The type of a root's elements, as an arena records it.</summary>
/// <param name="Name">As lists and messages show it.</param>
/// <param name="Layout">What is compared; see <see cref="LayoutFingerprint"/>.</param>
/// <param name="Bytes">Of an element, at least 1.</param>
internal readonly record struct RootType(string Name, string Layout, int Bytes)
{
    internal static unsafe RootType Of<[DynamicallyAccessedMembers(LayoutFingerprint.Members)] T>()
        where T : unmanaged => new(typeof(T).ToString(), LayoutFingerprint.Describe<T>(), sizeof(T));
}
