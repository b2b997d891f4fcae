using Snapshot.ModuleCheck;

return CheckCommand.Run(args, Console.Out, Console.Error);
