using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Snapshot.Tool;
using Snapshot.Tool.Stacks;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Tool;

/// <summary>
/// The command runs as a process of its own: a parent that traces its child would compete for its stops with
/// the code of .NET that waits for children.
/// </summary>
public sealed class StacksCommandTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Shows_what_each_participant_of_a_live_process_does_and_where()
    {
        using Process target = StartTarget();
        try
        {
            Assert.Equal("ready", await target.StandardOutput.ReadLineAsync());
            string processId = target.Id.ToString(CultureInfo.InvariantCulture);

            ToolRun json = ToolRun.Process(null, "stacks", processId, "--json");
            Assert.True(json.ExitCode == ExitCode.Fine, json.Error);
            JsonElement session = json.Json().GetProperty("sessions")[0];
            Assert.Equal("Idle", session.GetProperty("phase").GetString());
            Assert.Equal(2, session.GetProperty("running").GetInt32());
            Assert.Equal(
                ["computing", "locking", "reading"],
                session.GetProperty("participants").EnumerateArray().Select(Name));
            AssertParticipant(
                session, "computing", "running application code", "sweep 12", "StacksTarget.Compute(");
            AssertParticipant(session, "locking", "waiting for an arena lock", null, "StacksTarget.Enter(");
            AssertParticipant(
                session, "reading", "in a blocked region waiting for the input file", null,
                "StacksTarget.Read(");

            ToolRun text = ToolRun.Process(null, "stacks", processId);
            output.WriteLine(text.Out);
            Assert.Equal((ExitCode.Fine, ""), (text.ExitCode, text.Error));
            foreach (string part in new[]
            {
                "sweep 12", "waiting for an arena lock", "the input file", "StacksTarget.cs:",
                "'reading thread'",
            })
                Assert.Contains(part, text.Out, StringComparison.Ordinal);
        }
        finally
        {
            target.StandardInput.Close();
            await target.WaitForExitAsync();
        }

        // It was only stopped for the time of reading.
        Assert.Equal(0, target.ExitCode);
    }

    [Fact]
    public async Task A_process_that_is_not_there_or_has_no_runtime_is_an_environment_error()
    {
        Assert.Contains(
            "no process", ToolRun.Process(null, "stacks", "2147483647").FailsWith(ExitCode.Environment),
            StringComparison.Ordinal);
        using Process sleeper = Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        try
        {
            string error = ToolRun.Process(null, "stacks", sleeper.Id.ToString(CultureInfo.InvariantCulture))
                .FailsWith(ExitCode.Environment);
            Assert.Contains("runs no .NET runtime", error, StringComparison.Ordinal);
        }
        finally
        {
            sleeper.Kill();
            await sleeper.WaitForExitAsync();
        }
    }

    [Fact]
    public void The_fields_that_are_read_by_name_exist()
    {
        int fields = 0;
        foreach (Type part in typeof(LibraryFields).GetNestedTypes(BindingFlags.NonPublic))
        {
            Dictionary<string, string> names = part.GetFields(BindingFlags.NonPublic | BindingFlags.Static)
                .ToDictionary(field => field.Name, field => (string)field.GetRawConstantValue()!);
            Type type = typeof(Participant).Assembly.GetType(names["Type"])
                ?? typeof(object).Assembly.GetType(names["Type"])!;
            Assert.True(type is not null, $"{names["Type"]} was renamed; change LibraryFields");
            foreach ((string name, string field) in names.Where(pair => pair.Key != "Type"))
            {
                Assert.True(
                    type.GetField(field, BindingFlags.Instance | BindingFlags.NonPublic) is not null,
                    $"{type}.{field} ({name}) was renamed; change LibraryFields");
                fields++;
            }
        }

        Assert.True(fields > 15, $"only {fields} fields were looked at");
    }

    internal static Process StartTarget() => Process.Start(new ProcessStartInfo(
        ToolRun.Dotnet,
        ["exec", Path.Combine(AppContext.BaseDirectory, "Snapshot.TestPrograms.dll"), "stacks-target"])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!;

    private static string? Name(JsonElement participant) => participant.GetProperty("name").GetString();

    private static void AssertParticipant(
        JsonElement session, string name, string state, string? activity, string method)
    {
        JsonElement participant =
            session.GetProperty("participants").EnumerateArray().Single(item => Name(item) == name);
        Assert.Equal(state, participant.GetProperty("state").GetString());
        Assert.Equal(activity, participant.GetProperty("activity").GetString());
        Assert.Equal($"{name} thread", participant.GetProperty("threadName").GetString());
        JsonElement frame = participant.GetProperty("stack").EnumerateArray()
            .First(
                item => item.GetProperty("method").GetString()!.Contains(method, StringComparison.Ordinal));
        Assert.EndsWith("StacksTarget.cs", frame.GetProperty("file").GetString(), StringComparison.Ordinal);
        Assert.InRange(frame.GetProperty("line").GetInt32(), 1, 1000);
    }
}
