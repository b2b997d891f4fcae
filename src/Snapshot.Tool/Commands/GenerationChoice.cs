using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Snapshot.Base;

namespace Snapshot.Tool.Commands;

/// <summary>A generation by its number, or by its tag; neither where the command line has none.</summary>
internal readonly record struct GenerationName(long? Number, string? Tag)
{
    /// <summary>Its number, or null where none was asked for.</summary>
    internal long? Of(SnapshotStore store) => Tag is { } tag ? store.FindTagged(tag).Generation : Number;

    /// <summary>Its number, or that of the newest.</summary>
    internal long OrNewest(SnapshotStore store) =>
        Of(store) ?? store.Newest?.Generation ?? throw new SnapshotException(
            SnapshotErrorCode.NotFound, $"The store {store.Directory} holds no generation yet.");
}

/// <summary>How a command is told which generation it is about.</summary>
internal sealed class GenerationChoice
{
    private readonly Symbol _number;
    private readonly Func<ParseResult, long?> _parse;
    private readonly Option<string?> _tag;

    private GenerationChoice(Command command, Symbol number, Func<ParseResult, long?> parse)
    {
        _number = number;
        _parse = parse;
        _tag = new Option<string?>("--tag")
        {
            Description = "The tag of the generation, instead of its number: the newest that has it.",
            HelpName = "TAG",
            CustomParser = Tag,
        };
        command.Add(_tag);
        command.Validators.Add(result =>
        {
            if (IsGiven(result, _number) && IsGiven(result, _tag))
                result.AddError("Give the number of a generation or its tag, not both.");
        });
    }

    /// <summary>The number is an argument.</summary>
    internal static GenerationChoice ByArgument(Command command, string whenOmitted)
    {
        Argument<long?> number = new("GENERATION")
        {
            Description = Description(whenOmitted),
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = Number,
        };
        command.Add(number);
        return new GenerationChoice(command, number, parsed => parsed.GetValue(number));
    }

    /// <summary>The number is an option.</summary>
    internal static GenerationChoice ByOption(Command command, string whenOmitted)
    {
        Option<long?> number = new("--generation")
        {
            Description = Description(whenOmitted),
            HelpName = "N",
            CustomParser = Number,
        };
        command.Add(number);
        return new GenerationChoice(command, number, parsed => parsed.GetValue(number));
    }

    internal GenerationName In(ParseResult parsed) => new(_parse(parsed), parsed.GetValue(_tag));

    internal bool IsIn(CommandResult result) => IsGiven(result, _number) || IsGiven(result, _tag);

    private static bool IsGiven(CommandResult result, Symbol symbol) => symbol switch
    {
        Argument argument => result.GetResult(argument) is { Tokens.Count: > 0 },
        Option option => result.GetResult(option) is not null,
        _ => false,
    };

    private static string Description(string whenOmitted) =>
        $"The number of the generation; {whenOmitted} when omitted.";

    private static long? Number(ArgumentResult result)
    {
        string token = result.Tokens[0].Value;
        if (long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out long number) &&
            number >= 1)
            return number;
        result.AddError(
            $"'{token}' is not a generation; give a number from 1 upward, as 'snapshot list' shows them.");
        return null;
    }

    private static string Tag(ArgumentResult result)
    {
        string token = result.Tokens[0].Value;
        if (!RecordedTag.IsUsable(token))
            result.AddError(
                $"'{token}' is not a tag; give 1 to {RecordedTag.MaxBytes} bytes without control " +
                "characters, as 'snapshot list' shows them.");
        return token;
    }
}
