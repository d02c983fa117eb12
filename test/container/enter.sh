#!/usr/bin/env bash
# Becomes a container's process, as an engine would start it: enter.sh ROOT WORKDIR UID GID [SOURCE:TARGET]... -- NAME=VALUE... -- COMMAND...
# Called in new mount and pid namespaces. The root is read-only, /tmp is a tmpfs, no capability and no new privilege can be had.
set -euo pipefail
root=$1 workdir=$2 uid=$3 gid=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
while [ "$1" != -- ]; do
  mkdir -p "$root/${1#*:}"
  mount --bind "${1%%:*}" "$root/${1#*:}"
  shift
done
shift
mount -o remount,bind,ro "$root"
environment=()
while [ "$1" != -- ]; do
  environment+=("$1")
  shift
done
shift
# unshare needs three capabilities to change the root and the user; with the user they are gone.
exec /usr/bin/env -i "${environment[@]}" \
  /usr/bin/setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid -- \
  /usr/bin/unshare --root "$root" --wd "$workdir" --setgid "$gid" --setuid "$uid" -- "$@"
