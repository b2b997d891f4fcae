using System.Runtime.CompilerServices;

namespace Snapshot.C.Interface;

/// <summary>
/// Structures of C that begin with their own size: a program that was built with another version of the
/// header gives fewer fields, or more.
/// </summary>
internal static unsafe class Sized
{
    /// <summary>The structure, with zeros for the fields that the program does not know.</summary>
    /// <param name="given">What C gave; NULL is all zeros.</param>
    /// <param name="what">Its name, for messages.</param>
    /// <exception cref="ArgumentException">
    /// Its size is none, or it sets a field that only a newer library knows.
    /// </exception>
    internal static T Read<T>(void* given, string what)
        where T : unmanaged
    {
        T known = default;
        if (given is null) return known;
        nuint size = *(nuint*)given;
        if (size < (nuint)sizeof(nuint) || size > 4096)
        {
            throw new ArgumentException(
                $"The size in {what} is {size}: begin with its initialiser, which sets it.");
        }

        ReadOnlySpan<byte> bytes = new(given, (int)size);
        if (bytes.Length > sizeof(T) && bytes[sizeof(T)..].ContainsAnyExcept((byte)0))
        {
            throw new ArgumentException(
                $"{what} sets a field that this version of the library does not know: update the library, " +
                "or leave the field out.");
        }

        bytes[..Math.Min(bytes.Length, sizeof(T))]
            .CopyTo(new Span<byte>(Unsafe.AsPointer(ref known), sizeof(T)));
        return known;
    }
}
