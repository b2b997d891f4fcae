#!/bin/sh
# The front door of Snapshot: ./build.ps1 TASK [ARGUMENTS]. One file for both worlds: sh runs the first half, PowerShell the
# second; both do and say the same, which a test holds them to. To sh the next line expands an unset variable to nothing;
# to PowerShell it is an undefined variable, then the beginning of a comment that ends where the second half begins.
${unset+'} <# '}
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1

usage() {
    printf '%s\n' \
        'Usage: ./build.ps1 TASK [ARGUMENTS]' \
        '' \
        '  demo         runs a heat diffusion, kills it, restarts it and compares the results (try demo --help)' \
        '  nbody        the same with a star cluster that thousands of fibers compute (try nbody --help)' \
        '  native       the same with native threads that run C++ and Fortran; needs g++ and gfortran (try native --help)' \
        '  ranks        the same with the ranks of an MPI job; needs Open MPI or MPICH (try ranks --help)' \
        '  test         builds everything and runs every test; ARGUMENTS go to dotnet test' \
        '  bench        measures checkpoints and restarts end to end (try bench --help); bench all writes bench/RESULTS.md' \
        '  bench micro  measures the small operations with BenchmarkDotNet; ARGUMENTS go to it' \
        '  pack         makes all packages in artifacts/: NuGet, Debian, a tarball, a wheel; ARGUMENTS go to dotnet pack' \
        '  help         shows this text'
}

fail() {
    printf 'build.ps1: %s\n' "$1" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

need_dotnet() {
    has dotnet || fail "dotnet is not on the PATH. Install the .NET 10 SDK (Debian, Ubuntu: apt-get install dotnet-sdk-10.0; all systems: https://dot.net)."
}

need_compiler() {
    has "${NativeCompiler:-cc}" && return
    missing="The C compiler '${NativeCompiler:-cc}' is not on the PATH"
    has apt-get || fail "$missing. Install one (Fedora: dnf install gcc)."
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif has sudo && sudo -n true 2>/dev/null; then
        sudo='sudo -n'
    else
        fail "$missing and this user may not install one. Run: sudo apt-get install gcc libc6-dev"
    fi
    printf 'build.ps1: %s. Installing gcc and libc6-dev.\n' "$missing" >&2
    $sudo apt-get update && $sudo apt-get install -y gcc libc6-dev || fail 'apt-get could not install gcc and libc6-dev; its messages are above.'
}

task=${1-help}
[ $# -eq 0 ] || shift
if [ "$task" = bench ] && [ "${1-}" = micro ]; then
    task='bench micro'
    shift
fi

case $task in
    demo) set -- run --project "$root/samples/HeatDiffusion" -c Release -- "$@" ;;
    nbody) set -- run --project "$root/samples/NBody" -c Release -- "$@" ;;
    native) set -- run --project "$root/samples/NativeSolvers" -c Release -- "$@" ;;
    ranks) set -- run --project "$root/samples/HeatRanks" -c Release -- "$@" ;;
    test) set -- test "$root/Snapshot.sln" -c Release "$@" ;;
    bench) set -- run --project "$root/bench/Snapshot.Bench" -c Release -- "$@" ;;
    'bench micro') set -- run --project "$root/bench/Snapshot.Microbench" -c Release -- "$@" ;;
    pack) set -- pack "$root/Snapshot.sln" -c Release -o "$root/artifacts" "$@" ;;
    help) usage; exit 0 ;;
    *) printf "build.ps1: there is no task '%s'.\n" "$task" >&2; usage >&2; exit 2 ;;
esac

need_dotnet
need_compiler
exec dotnet "$@"
#> > $null

# Only the engine's core is used here: no cmdlet of a module, so that the half runs wherever the engine does.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
$root = $PSScriptRoot

$usage = @'
Usage: ./build.ps1 TASK [ARGUMENTS]

  demo         runs a heat diffusion, kills it, restarts it and compares the results (try demo --help)
  nbody        the same with a star cluster that thousands of fibers compute (try nbody --help)
  native       the same with native threads that run C++ and Fortran; needs g++ and gfortran (try native --help)
  ranks        the same with the ranks of an MPI job; needs Open MPI or MPICH (try ranks --help)
  test         builds everything and runs every test; ARGUMENTS go to dotnet test
  bench        measures checkpoints and restarts end to end (try bench --help); bench all writes bench/RESULTS.md
  bench micro  measures the small operations with BenchmarkDotNet; ARGUMENTS go to it
  pack         makes all packages in artifacts/: NuGet, Debian, a tarball, a wheel; ARGUMENTS go to dotnet pack
  help         shows this text
'@

function Exit-Failed([string]$message) {
    [Console]::Error.WriteLine("build.ps1: $message")
    exit 1
}

function Test-Program([string]$name) {
    $null -ne (Get-Command $name -CommandType Application -ErrorAction Ignore)
}

function Assert-Dotnet {
    if (Test-Program dotnet) { return }
    Exit-Failed "dotnet is not on the PATH. Install the .NET 10 SDK (Debian, Ubuntu: apt-get install dotnet-sdk-10.0; all systems: https://dot.net)."
}

function Assert-Compiler {
    $compiler = if ($env:NativeCompiler) { $env:NativeCompiler } else { 'cc' }
    if (Test-Program $compiler) { return }
    $missing = "The C compiler '$compiler' is not on the PATH"
    if (-not (Test-Program apt-get)) { Exit-Failed "$missing. Install one (Fedora: dnf install gcc)." }
    $sudo = @()
    if ((& id -u) -ne '0') {
        if (Test-Program sudo) { & sudo -n true 2>$null; $sudo = @('sudo', '-n') }
        if ($sudo.Count -eq 0 -or $LASTEXITCODE -ne 0) {
            Exit-Failed "$missing and this user may not install one. Run: sudo apt-get install gcc libc6-dev"
        }
    }
    [Console]::Error.WriteLine("build.ps1: $missing. Installing gcc and libc6-dev.")
    $program, $before = @($sudo + 'apt-get')
    & $program @before update
    if ($LASTEXITCODE -eq 0) { & $program @before install -y gcc libc6-dev }
    if ($LASTEXITCODE -ne 0) { Exit-Failed 'apt-get could not install gcc and libc6-dev; its messages are above.' }
}

# PowerShell hands over -name:value as two arguments, the first of which ends with a colon; joined, they are what was typed.
$words = [System.Collections.Generic.List[string]]::new()
$joins = $false
foreach ($word in $args) {
    if ($joins) { $words[$words.Count - 1] += $word } else { $words.Add($word) }
    $joins = -not $joins -and $word -is [string] -and $word.StartsWith('-') -and $word.EndsWith(':')
}

$task = 'help'
if ($words.Count -gt 0) { $task = $words[0]; $words.RemoveAt(0) }
if ($task -ceq 'bench' -and $words.Count -gt 0 -and $words[0] -ceq 'micro') {
    $task = 'bench micro'
    $words.RemoveAt(0)
}

switch -CaseSensitive ($task) {
    'demo' { $command = @('run', '--project', "$root/samples/HeatDiffusion", '-c', 'Release', '--') }
    'nbody' { $command = @('run', '--project', "$root/samples/NBody", '-c', 'Release', '--') }
    'native' { $command = @('run', '--project', "$root/samples/NativeSolvers", '-c', 'Release', '--') }
    'ranks' { $command = @('run', '--project', "$root/samples/HeatRanks", '-c', 'Release', '--') }
    'test' { $command = @('test', "$root/Snapshot.sln", '-c', 'Release') }
    'bench' { $command = @('run', '--project', "$root/bench/Snapshot.Bench", '-c', 'Release', '--') }
    'bench micro' { $command = @('run', '--project', "$root/bench/Snapshot.Microbench", '-c', 'Release', '--') }
    'pack' { $command = @('pack', "$root/Snapshot.sln", '-c', 'Release', '-o', "$root/artifacts") }
    'help' { [Console]::Out.WriteLine($usage); exit 0 }
    default { [Console]::Error.WriteLine("build.ps1: there is no task '$task'."); [Console]::Error.WriteLine($usage); exit 2 }
}

Assert-Dotnet
Assert-Compiler
& dotnet @command @words
exit $LASTEXITCODE
