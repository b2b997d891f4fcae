using Snapshot.FiberCheck;

return CheckCommand.Run(args, Console.Out);
