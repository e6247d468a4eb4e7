# slurm.bash - a Slurm of one node for a test: its own daemons, keys and ports, nothing of it outside
# the test's folder. slurm_start, slurm_stop.
# shellcheck shell=bash

slurm_start() { # fails, with a word, where it cannot be
    local dir=$PWD/slurm host port
    command -v slurmctld slurmd munged sbatch >/dev/null || {
        echo "no Slurm here"
        return 1
    }
    host=$(hostname -s)
    port=$((20000 + $$ % 20000))
    mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
    chmod 711 "$dir/munge"
    (umask 077 && head -c 1024 /dev/urandom >"$dir/key")
    cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/d.pid
SlurmctldLogFile=$dir/ctld.log
SlurmdLogFile=$dir/d.log
ReturnToService=2
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$dir/slurm.conf
    munged --key-file="$dir/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" --force 3>&- || return 1
    slurmctld 3>&- || return 1
    slurmd -N "$host" 3>&- || return 1
    for _ in $(seq 100); do
        sinfo -h -o %t 2>/dev/null | grep -q idle && return
        sleep 0.1
    done
    echo "the Slurm of this test did not come up"
    return 1
}

slurm_stop() { # and wait until they are gone: they write into the test's folder
    local pid file
    [ -n "${SLURM_CONF:-}" ] || return 0
    for file in slurm/d.pid slurm/ctld.pid slurm/munge/pid; do
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            grep -qs '^State:.[^Z]' "/proc/$pid/status" || break
            sleep 0.1
        done
    done
}
