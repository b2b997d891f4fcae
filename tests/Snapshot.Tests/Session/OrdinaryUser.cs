using System.Runtime.Versioning;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Session;

/// <summary>Runs a verb of Snapshot.TestPrograms without privilege, whoever runs the tests.</summary>
[SupportedOSPlatform("linux")]
internal static class OrdinaryUser
{
    internal static (int ExitCode, string Text) Run(string verb)
    {
        ProgramResult result = Profile.OrdinaryUser.Run("Snapshot.TestPrograms", verb);
        return (result.ExitCode, result.Output + result.Error);
    }
}
