#!/bin/sh
# First process of the cluster's namespaces: makes them a machine of their own, says "ready", and becomes INIT.
#
# Usage: unshare --net --mount --pid --propagation slave --fork --kill-child --mount-proc namespaces.sh FOLDER INIT
#
# FOLDER takes what is written to /var/lib and /var/log. Nothing that is mounted or set here is seen outside.
set -eu
folder=$1
init=$2

# Mounts of other container tools came along as copies, which would keep them busy.
kept=$(stat --format %m "$folder")
findmnt --noheadings --raw --types overlay --output TARGET | while read -r mounted; do
  [ "$mounted" = / ] || [ "$mounted" = "$kept" ] || umount --lazy "$mounted" || true
done
mount --make-rshared /

# What containerd, runc, CNI and the kubelet write to fixed places.
mkdir -p "$folder/var-lib" "$folder/var-log"
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$folder/var-lib" /var/lib
mount --bind "$folder/var-log" /var/log

# Settings of the kernel that a kubelet changes if they are not so, for the whole machine: it is shown what it wants.
settings=/run/settings
mkdir "$settings"
pretend() {
  echo "$2" >"$settings/${1##*/}"
  mount --bind "$settings/${1##*/}" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000

# These are the network namespace's own.
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

echo ready
exec "$init" </dev/null >/dev/null 2>&1
