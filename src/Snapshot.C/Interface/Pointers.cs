namespace Snapshot.C.Interface;

/// <summary>Pointers that C gives.</summary>
internal static unsafe class Pointers
{
    /// <exception cref="ArgumentException">It is NULL.</exception>
    internal static void Require(void* pointer, string what)
    {
        if (pointer is null) throw new ArgumentException($"The pointer {what} is NULL.");
    }
}
