using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Snapshot.Tool.Output;

/// <summary>Where the tool writes: results to one side, everything else to the other.</summary>
internal sealed class ToolConsole
{
    /// <summary>
    /// Columns when the output is not a terminal: wide enough that tables are not folded on their way into a
    /// file or a pipe.
    /// </summary>
    private const int WidthOfFiles = 200;

    /// <summary>Not for HTML: only what JSON demands is escaped.</summary>
    private static readonly JsonWriterOptions s_jsonForFiles =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonWriterOptions s_jsonLine = s_jsonForFiles with { Indented = false };

    internal ToolConsole(
        TextWriter output, TextWriter error, bool isOutputTerminal, bool isErrorTerminal, int? width = null)
    {
        Out = output;
        Error = error;
        Results = CreateConsole(output, isOutputTerminal, width);
        Reports = CreateConsole(error, isErrorTerminal, width);
        Progress = isErrorTerminal ? Reports : null;
    }

    internal TextWriter Out { get; }

    internal TextWriter Error { get; }

    /// <summary>Tables and text on standard output.</summary>
    internal IAnsiConsole Results { get; }

    /// <summary>Tables and text on standard error, where standard output belongs to a program.</summary>
    internal IAnsiConsole Reports { get; }

    /// <summary>Progress on standard error, or null when nobody watches.</summary>
    internal IAnsiConsole? Progress { get; }

    internal static ToolConsole OfProcess() =>
        new(Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    /// <summary>One JSON value on standard output, alone.</summary>
    internal void WriteJson<T>(T value, JsonTypeInfo<T> type) =>
        Out.WriteLine(ToJson(value, type, s_jsonForFiles));

    /// <summary>One JSON value on standard error, as its last line.</summary>
    internal void ReportJson<T>(T value, JsonTypeInfo<T> type) =>
        Error.WriteLine(ToJson(value, type, s_jsonLine));

    /// <summary>One sentence on standard error.</summary>
    internal void Fail(string sentence) => Error.WriteLine($"snapshot: {Readable.Plain(sentence)}");

    /// <summary>One sentence on standard error that is no failure.</summary>
    internal void Note(string sentence) => Fail($"note: {sentence}");

    private static string ToJson<T>(T value, JsonTypeInfo<T> type, JsonWriterOptions options)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text, options)) JsonSerializer.Serialize(writer, value, type);
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static IAnsiConsole CreateConsole(TextWriter writer, bool isTerminal, int? width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (width is { } columns) console.Profile.Width = columns;
        else if (!isTerminal) console.Profile.Width = WidthOfFiles;
        return console;
    }
}
