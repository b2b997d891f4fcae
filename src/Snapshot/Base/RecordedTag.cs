using System.Runtime.CompilerServices;
using System.Text;

namespace Snapshot.Base;

/// <summary>What a tag of a generation may be: a name that a listing shows in one line.</summary>
internal static class RecordedTag
{
    /// <summary>The longest tag in bytes of UTF-8.</summary>
    internal const int MaxBytes = RecordedName.MaxBytes;

    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    internal static byte[] Encode(string? tag) => tag is null ? [] : s_strict.GetBytes(tag);

    /// <summary>A tag that was read, or null when it is none that could have been written.</summary>
    internal static string? Decode(ReadOnlySpan<byte> utf8)
    {
        if (!RecordedName.IsUsable(utf8)) return null;
        try
        {
            string tag = s_strict.GetString(utf8);
            return tag.Any(char.IsControl) ? null : tag;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Whether a text can be a tag.</summary>
    internal static bool IsUsable(string text)
    {
        try
        {
            _ = Checked(text);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <exception cref="ArgumentException">
    /// Null, empty, longer than 255 bytes of UTF-8, not well-formed UTF-16, or with a control character.
    /// </exception>
    internal static string Checked(string tag, [CallerMemberName] string option = "")
    {
        RecordedName.ThrowIfUnusable(tag, option);
        return tag.Any(char.IsControl)
            ? throw new ArgumentException("a tag has no control characters", option)
            : tag;
    }
}
