using System.Runtime.InteropServices;

namespace NativeSolvers;

/// <summary>
/// What a thread that integrates is given, and what it has found: <c>struct Job</c> in quadrature.cpp.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QuadratureJob
{
    public ulong Worker;
    public ulong Steps;
    public ulong Step;
    public ulong Deepest;
    public double Tolerance;
    public double Result;
}

/// <summary>What the thread of the membrane is given: <c>type stencil_job</c> in stencil.f90.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StencilJob
{
    public long Size;
    public long Steps;
    public long Step;
    public double Energy;
    public double* Field;
}
