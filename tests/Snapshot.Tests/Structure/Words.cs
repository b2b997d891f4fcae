using System.Text.RegularExpressions;

namespace Snapshot.Tests.Structure;

/// <summary>Words that documents, comments, messages and names do without, and what to say instead.</summary>
internal static partial class Words
{
    private static readonly (Regex Pattern, string Instead)[] s_forbidden =
    [
        (Of(@"\bfor want of\b"), "without, because there is no"),
        (Of(@"\bto be had\b"), "there is, exists, can be"),
        (Of(@"\bas things are\b"), "now, today"),
        (Of(@"\bbeside the application\b"), "while the participants compute"),
        (Of(@"\b(asked for|only|chosen|says) by name\b"), "explicitly"),
        (Of(@"\bhang(s|ing)? (\w+ ){0,4}on `?(Committed|this|that|it)\b"), "say what is done when"),
        (Of(@"\btime-outs?\b"), "timeout, a length of time"),
        (Of(@"\bkernel('s)? (module|thread)s?\b"), "native module, native thread"),
        (Of(@"\bblocks? of 2 MiB\b|\b2 MiB blocks?\b"), "span: a block is a block of an image"),
        (Of(@"\bslots? of (the|a) manifest\b|\bmanifest('s)? slots?\b"),
            "half: a slot is room for the copy of a page"),
        (Of(@"\bslots? of (the|a|native) modules?\b|--slot\b"),
            "base: a slot is room for the copy of a page"),
        (Of(@"\b(the|of) keeping (of the store|ends|failed)\b"), "maintenance"),
        (new Regex(@"\bKernel(Host|Module|Thread|Options|Finding)s?\b"), "Native…: a kernel is Linux"),
    ];

    /// <summary>The faults of a file, one line each.</summary>
    internal static IEnumerable<string> ForbiddenIn(string path, string text)
    {
        string flat = Joined(text);
        foreach ((Regex pattern, string instead) in s_forbidden)
        {
            foreach (Match match in pattern.Matches(flat))
            {
                int start = Math.Max(0, match.Index - 30);
                string around = flat[start..Math.Min(flat.Length, match.Index + match.Length + 30)];
                yield return $"{path}: '…{around}…'; instead of '{match.Value}': {instead}";
            }
        }
    }

    /// <summary>Sentences run on over lines, the marks of comments, and literals that are added.</summary>
    private static string Joined(string text) => Addition().Replace(LineEnd().Replace(text, " "), "");

    private static Regex Of(string pattern) => new(pattern, RegexOptions.IgnoreCase);

    [GeneratedRegex(@"\s*\n\s*(///?|\*(?!\*)|\#)?[ \t]*")]
    private static partial Regex LineEnd();

    [GeneratedRegex(@"""\s*\+\s*\$?""")]
    private static partial Regex Addition();
}
