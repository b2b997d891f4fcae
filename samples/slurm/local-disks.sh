#!/bin/bash
# Checkpoints on the nodes' own disks, with copies on the next node and in a directory that all nodes see.
#
#     sbatch local-disks.sh SHARED PROGRAM [ARGUMENT...]
#
# runs `mpirun PROGRAM ARGUMENT... --store LOCAL --partner --shared SHARED`. A node that is replaced has an empty disk:
# its ranks are fetched from their partners. When all nodes are others, everything is fetched from SHARED.
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append

shared=${1:?the directory that all nodes see}
shift

# The same path on every node. The number of the job stays when it is queued again; what a site deletes at the end of
# a job, often $TMPDIR, is copied again from SHARED then, and that takes its time.
local=${LOCAL_DISK:-/tmp}/$USER-$SLURM_JOB_ID

trap 'told=yes; kill -USR1 $!' USR1
mpirun "$@" --store "$local" --partner --shared "$shared" &
job=$!

wait $job                                               # ends when the signal comes, and goes on
while kill -0 $job 2> /dev/null; do wait $job; done
wait $job                                               # bash still knows the exit code
code=$?

# 75: run me again, or 0 as in time-limit.sh. All is in SHARED by now, so that the nodes may be others.
if [[ $code == 75 || $told$code == yes0 ]] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    scontrol requeue "$SLURM_JOB_ID"                    # ends this script
elif [ $code -eq 0 ]; then
    # Done: the disks are given back clean. After a failure they stay, and the next run goes on from them.
    srun --ntasks-per-node=1 --ntasks="$SLURM_NNODES" rm -rf "$local"
fi
exit $code
