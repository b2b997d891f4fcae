using System.Text.RegularExpressions;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>The program of the README compiles and runs as it stands there.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void The_first_program_of_the_README_builds_and_runs()
    {
        Match block = FirstProgram().Match(File.ReadAllText(Path.Combine(Repository.Root, "README.md")));
        Assert.True(block.Success, "README.md has no ```csharp block");

        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-readme-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "Program.cs"), block.Groups[1].Value);
            File.WriteAllText(Path.Combine(directory.FullName, "Readme.csproj"), Project);
            ProgramResult built = Repository.Run(
                directory.FullName,
                "dotnet", "build", "-c", Repository.Configuration, "-nologo", "-v", "q", "-nodeReuse:false");
            Assert.True(built.ExitCode == 0, built.ToString());
            string program = Path.Combine(directory.FullName, "bin", Repository.Configuration, "net10.0", "Readme");
            ProgramResult run = Repository.Run(directory.FullName, program);
            Assert.True(run.ExitCode == 0, run.ToString());
            Assert.NotEmpty(run.Output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
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
    private static partial Regex FirstProgram();
}
