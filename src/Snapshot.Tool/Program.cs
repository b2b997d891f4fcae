using Snapshot.Tool;
using Snapshot.Tool.Output;

return await SnapshotTool.RunAsync(args, ToolConsole.OfProcess());
