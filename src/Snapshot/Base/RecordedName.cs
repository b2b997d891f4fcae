using System.Runtime.CompilerServices;
using System.Text;

namespace Snapshot.Base;

/// <summary>What a name may be that goes into an image and is looked for after a restart.</summary>
internal static class RecordedName
{
    /// <summary>The longest name in bytes of UTF-8; a name is shown in messages and listings.</summary>
    internal const int MaxBytes = 255;

    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Whether a name that was read is one that could have been written.</summary>
    internal static bool IsUsable(ReadOnlySpan<byte> utf8) => utf8.Length is >= 1 and <= MaxBytes;

    /// <summary>
    /// Refuses a name that an image could not hold, or would hold as another one: half a surrogate pair is
    /// replaced when it is encoded, after which two names are one and neither is found again.
    /// </summary>
    /// <exception cref="ArgumentException">Null, empty, longer than 255 bytes of UTF-8, or not well-formed
    /// UTF-16.</exception>
    internal static void ThrowIfUnusable(
        string name, [CallerArgumentExpression(nameof(name))] string? parameter = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameter);
        try
        {
            if (s_strict.GetByteCount(name) <= MaxBytes) return;
        }
        catch (EncoderFallbackException error)
        {
            throw new ArgumentException(
                "a name must be well-formed UTF-16; this one has half a surrogate pair", parameter, error);
        }

        throw new ArgumentException($"a name has at most {MaxBytes} bytes of UTF-8", parameter);
    }
}
