using KillDemo;
using Snapshot;
using Snapshot.Inspection;

namespace NativeSolvers;

/// <summary>The two libraries, which the build makes where there are compilers for them.</summary>
internal static class ModuleFiles
{
    internal static string Quadrature => Path.Combine(AppContext.BaseDirectory, "libquadrature.so");

    internal static string Stencil => Path.Combine(AppContext.BaseDirectory, "libstencil.so");

    /// <exception cref="RunException">
    /// Native threads do not work here, or a library is missing; says which compiler makes it.
    /// </exception>
    internal static void Require()
    {
        MachineCapability native =
            MachineCapabilities.Current.Items.Single(item => item.Name == "native threads");
        if (!native.Available) throw new RunException($"This sample needs native threads. {native}.");
        (string File, string Compiler)[] missing =
            [.. ((string, string)[])[(Quadrature, "g++"), (Stencil, "gfortran")]];
        missing = [.. missing.Where(library => !File.Exists(library.File))];
        if (missing.Length == 0) return;
        string names = string.Join(" and ", missing.Select(library => Path.GetFileName(library.File)));
        string compilers = string.Join(" and ", missing.Select(library => library.Compiler));
        throw new RunException(
            $"{names} cannot be found: {compilers} was not there when the sample was built. Install it " +
            "(Debian, Ubuntu: apt-get install g++ gfortran) and build again.");
    }
}
