using System.Globalization;
using Snapshot.Bench;

// Processes that scenarios start and measure.
switch (args)
{
    case [RestartChild.TouchCommandName, string bytes]:
        return RestartChild.Touch(long.Parse(bytes, CultureInfo.InvariantCulture));
    case [RestartChild.CommandName, string store, string fill, string reading]:
        return RestartChild.Run(store, fill, reading);
    case [NativeChild.CommandName, string store, string threads, string rounds]:
        return NativeChild.Run(store, Number(threads), Number(rounds));
    case [NativeChild.PolledCommandName, string store, string threads, string rounds]:
        return NativeChild.RunPolled(store, Number(threads), Number(rounds));
    case [NativeChild.RestartCommandName, string store, string threads]:
        return NativeChild.Restart(store, Number(threads));
    case [MemoryBaselineChild.CommandName, string bytes, string dirtyPercent, string pattern]:
        return MemoryBaselineChild.Run(bytes, dirtyPercent, pattern);
    case [RanksChild.CommandName, .. string[] arguments]:
        return RanksChild.Run(arguments);
}

Interruption.Watch();
return BenchRoot.Create().Parse(args).Invoke();

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
