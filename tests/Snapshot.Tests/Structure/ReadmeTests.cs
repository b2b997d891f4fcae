using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>The program of the README compiles, dies, goes on, and ends as it stands there.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    [Fact]
    public void The_program_of_the_README_is_killed_and_ends_as_the_README_says()
    {
        Match block = Assert.Single(Program().Matches(s_text));
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-readme-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "Program.cs"), block.Groups[1].Value);
            File.WriteAllText(Path.Combine(directory.FullName, "Readme.csproj"), Project);
            ProgramResult built = Repository.Run(
                directory.FullName,
                "dotnet", "build", "-c", Repository.Configuration, "-nologo", "-v", "q", "-nodeReuse:false");
            Assert.True(built.ExitCode == 0, built.ToString());
            string program =
                Path.Combine(directory.FullName, "bin", Repository.Configuration, "net10.0", "Readme");
            KillWhenDurable(directory.FullName, program);

            ProgramResult run = Repository.Run(directory.FullName, program);
            Assert.True(run.ExitCode == 0, run.ToString());
            string[] lines = run.Output.TrimEnd().Split('\n');
            Assert.DoesNotContain("from generation 0", lines[0], StringComparison.Ordinal);
            Assert.Contains($"\n{lines[^1]}\n", s_text, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_package_that_the_README_adds_is_the_one_that_is_packed()
    {
        string properties = File.ReadAllText(Path.Combine(Repository.Root, "Directory.Build.props"));
        string version = Version().Match(properties).Groups[1].Value;
        Assert.NotEmpty(version);
        Assert.Contains(
            $"dotnet add package Snapshot --version {version}\n", s_text, StringComparison.Ordinal);
    }

    private static void KillWhenDurable(string directory, string program)
    {
        ProcessStartInfo start = new(program) { WorkingDirectory = directory, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string? line;
        do line = process.StandardOutput.ReadLine();
        while (line is not null && !line.EndsWith("is durable", StringComparison.Ordinal));
        process.Kill();
        process.WaitForExit();
        Assert.True(line is not null, "the program ended before a generation was durable");
    }

    /// <summary>
    /// What a new console project has, and the reference; the library is the one built for these tests.
    /// </summary>
    private static string Project => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <BuildProjectReferences>false</BuildProjectReferences>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <ProjectReference Include="{Path.Combine(Repository.Root, "src/Snapshot/Snapshot.csproj")}" />
          </ItemGroup>
        </Project>
        """;

    [GeneratedRegex("^```csharp\\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Program();

    [GeneratedRegex("<Version>(.*)</Version>")]
    private static partial Regex Version();
}
