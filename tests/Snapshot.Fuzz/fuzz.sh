#!/usr/bin/env bash
# Fuzzes a reader, guided by coverage: tests/Snapshot.Fuzz/fuzz.sh TARGET [OUTPUT [SECONDS]]. Needs afl-fuzz (Debian: apt-get install
# afl++) and, for its first run, NuGet (the tool that instruments the library). One process; a second call with the same OUTPUT
# resumes. `afl-whatsup OUTPUT` and OUTPUT/default/fuzzer_stats show how far it is; each crash is a file in OUTPUT/default/crashes:
# look at it with `dotnet run --project tests/Snapshot.Fuzz -c Release -- TARGET FILE`, mend the reader, and put it into
# corpus/TARGET, from where every test run replays it.
set -euo pipefail

target=${1:?usage: fuzz.sh image|manifest|modules|module-file [OUTPUT [SECONDS]]}
here=$(cd "$(dirname "$0")" && pwd)
output=$(mkdir -p "${2:-artifacts/fuzz/$target}" && cd "${2:-artifacts/fuzz/$target}" && pwd)
seconds=${3:-0} # 0: until it is ended

command -v afl-fuzz >/dev/null || { echo 'fuzz.sh: afl-fuzz is not on the PATH (apt-get install afl++).' >&2; exit 1; }
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
programs=$output/.programs
if [ ! -e "$programs/instrumented" ]; then
    rm -rf "$programs"
    dotnet build "$here" -c Release -v quiet -p:CompileAhead=false -o "$programs/bin" # what is instrumented is IL alone
    dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$programs/tool"
    "$programs/tool/sharpfuzz" "$programs/bin/Snapshot.dll"
    "$programs/tool/sharpfuzz" "$programs/bin/Snapshot.NativeThreads.dll"
    touch "$programs/instrumented"
fi

# The runtime is no program that AFL instruments, and reserves more addresses than AFL allows.
export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_AUTORESUME=1 AFL_NO_AFFINITY=1
limit=()
[ "$seconds" = 0 ] || limit=(-V "$seconds")
exec afl-fuzz -i "$here/corpus/$target" -o "$output" -t 5000 -m none "${limit[@]}" -- dotnet "$programs/bin/Snapshot.Fuzz.dll" "$target"
