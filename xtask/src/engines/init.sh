# Makes the root of an engine, moves into it and becomes PID 1 there. The mounts are in a
# namespace of their own: they end with the engine, and the machine never sees them.
set -e
# Not before it is noted down as ours; never if whoever does that ends first.
read -r go
exec </dev/null
hostname "$engine"
mount -t overlay "docknet-$engine" \
  -o "lowerdir=$lower,upperdir=$state/upper,workdir=$state/work" "$state/root"
cd "$state/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
# The machine's own hierarchies: a cgroup file system mounted here would be another one.
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
# Engines keep layers in overlays, and an overlay cannot be the upper half of another.
for dir in containerd containers docker; do
  mount --bind "$state/data/$dir" "var/lib/$dir"
done
mount --bind "$sockets" lab
if [ -n "$server" ]; then mount --bind "$server" etc/docknet; fi
pivot_root . oldroot
cd /
umount -l oldroot

exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 \
  PODMAN_IGNORE_CGROUPSV1_WARNING=1 /bin/bash -c '
    # Hands SIGTERM on, reaps, and leaves with the first server that ends: the kernel then
    # ends everything else in here.
    mkdir -p /run/lock /run/sshd
    servers=()
    if [ -f /etc/docknet/sshd_config ]; then
      /usr/sbin/sshd -D -e -f /etc/docknet/sshd_config & servers+=($!)
    fi
    "$@" & servers+=($!)
    trap "kill -TERM $!" TERM INT
    all_run() { for server in "${servers[@]}"; do kill -0 "$server" 2>/dev/null || return; done; }
    while all_run; do wait -n "${servers[@]}"; done
  ' docknet-init "$@"
