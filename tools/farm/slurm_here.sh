#!/bin/bash
# A small Slurm on this one machine: two nodes, started in a folder of its own and stopped again. As root, with Debian's slurm-wlm and munge.
#   slurm_here.sh start DIR     then: export SLURM_CONF=DIR/slurm.conf
#   slurm_here.sh stop DIR
set -eu

here=$2
user=$(id -un)

start() {
  mkdir -p "$here"/{state,log,munge} "$here"/spool/{here1,here2}
  chmod 755 "$here" "$here/munge"
  head -c 128 /dev/urandom >"$here/munge/key"
  chmod 600 "$here/munge/key"
  munged --force --key-file="$here/munge/key" --socket="$here/munge/socket" --pid-file="$here/munge/pid" \
    --log-file="$here/munge/log" --seed-file="$here/munge/seed"
  cat >"$here/slurm.conf" <<CONF
ClusterName=here
SlurmctldHost=$(hostname -s)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$here/munge/socket
CredType=cred/munge
SlurmctldPort=16817
SlurmctldPidFile=$here/slurmctld.pid
SlurmctldLogFile=$here/log/slurmctld.log
StateSaveLocation=$here/state
SlurmdPidFile=$here/%n.pid
SlurmdLogFile=$here/log/%n.log
SlurmdSpoolDir=$here/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmctldTimeout=30
MinJobAge=3600
SchedulerParameters=batch_sched_delay=1,sched_interval=2
NodeName=here1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16821 CPUs=1 State=UNKNOWN
NodeName=here2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16822 CPUs=1 State=UNKNOWN
PartitionName=film Nodes=here1,here2 Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$here/slurm.conf
  slurmctld -c -f "$SLURM_CONF"
  for node in here1 here2; do slurmd -N "$node" -f "$SLURM_CONF"; done
  for _ in $(seq 60); do
    [ "$(sinfo -h -t idle -o %D 2>/dev/null | head -n 1)" = 2 ] && return 0
    sleep 0.5
  done
  echo "slurm_here: the nodes did not come up; see $here/log" >&2
  return 69
}

stop() {
  export SLURM_CONF=$here/slurm.conf
  scancel --user="$user" 2>/dev/null || true
  local pids
  pids=$(cat "$here"/here1.pid "$here"/here2.pid "$here"/slurmctld.pid "$here"/munge/pid 2>/dev/null) || true
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  # Until they have ended they write into the folder, which the caller is about to remove.
  for pid in $pids; do
    for _ in $(seq 200); do
      [ -e "/proc/$pid" ] || break
      sleep 0.1
    done
  done
}

case $1 in
start) start || { code=$?; stop; exit $code; } ;;
stop) stop ;;
*) echo "slurm_here: start or stop, and a folder" >&2; exit 2 ;;
esac
