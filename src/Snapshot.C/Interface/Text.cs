using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.C.Interface;

/// <summary>Text that C gives: UTF-8 that ends with 0.</summary>
internal static unsafe class Text
{
    // The longest path of Linux.
    private const int MaxBytes = 4096;

    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <param name="text">The text.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <exception cref="ArgumentException">NULL, too long, or not UTF-8.</exception>
    internal static string Of(byte* text, string what) =>
        OrNull(text, what) ?? throw new ArgumentException($"The {what} is NULL.");

    /// <inheritdoc cref="Of"/>
    internal static string? OrNull(byte* text, string what)
    {
        if (text is null) return null;
        ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        if (bytes.Length > MaxBytes)
            throw new ArgumentException($"The {what} is longer than {MaxBytes} bytes.");
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new ArgumentException($"The {what} is not UTF-8.");
        }
    }
}
