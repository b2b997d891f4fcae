using KillDemo;

namespace Kernels;

/// <summary>The two libraries, which the build makes where there are compilers for them.</summary>
internal static class KernelFiles
{
    internal static string Quadrature => Path.Combine(AppContext.BaseDirectory, "libquadrature.so");

    internal static string Stencil => Path.Combine(AppContext.BaseDirectory, "libstencil.so");

    /// <exception cref="RunException">One is missing; says which compiler makes it.</exception>
    internal static void Require()
    {
        (string File, string Compiler)[] missing =
            [.. ((string, string)[])[(Quadrature, "g++"), (Stencil, "gfortran")]];
        missing = [.. missing.Where(library => !File.Exists(library.File))];
        if (missing.Length == 0) return;
        string names = string.Join(" and ", missing.Select(library => Path.GetFileName(library.File)));
        string compilers = string.Join(" and ", missing.Select(library => library.Compiler));
        throw new RunException(
            $"{names} cannot be found: {compilers} was not there when the sample was built. Install it (Debian, " +
            "Ubuntu: apt-get install g++ gfortran) and build again.");
    }
}
