#!/bin/sh
# Installs Lamppost as a systemd service on Linux, or upgrades it. Can be run again: config and contracts stay as they are.
#   sudo install/install.sh target/release/lamppost
#   DESTDIR=/tmp/root install/install.sh target/release/lamppost     puts the files there and touches nothing else
set -eu

[ $# = 1 ] && [ -x "$1" ] || { echo "usage: $0 path/to/lamppost" >&2; exit 64; }
binary=$1
here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
live=no
[ -n "$root" ] || { [ "$(id -u)" = 0 ] || { echo "$0: run it as root, or set DESTDIR" >&2; exit 64; }; live=yes; }

if [ $live = yes ] && ! getent passwd lamppost >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/lamppost --shell /usr/sbin/nologin lamppost
fi

install -d "$root/usr/local/bin" "$root/etc/systemd/system"
bin=$root/usr/local/bin/lamppost
if [ -e "$bin" ] && ! cmp -s "$binary" "$bin"; then
  cp -p "$bin" "$bin.previous" # the way back: install/install.sh /usr/local/bin/lamppost.previous
fi
# A running program cannot be written over, but it can be replaced.
install -m 0755 "$binary" "$bin.new"
mv "$bin.new" "$bin"
install -m 0644 "$here/lamppost.service" "$root/etc/systemd/system/lamppost.service"

# Secrets may stand beside the config: only the service may read the folder.
etc=$root/etc/lamppost
if [ ! -d "$etc" ]; then
  install -d -m 0750 "$etc"
  cp -r "$here/../schemas/datasets" "$etc/contracts"
fi
[ -e "$etc/lamppost.toml" ] || install -m 0640 "$here/lamppost.toml" "$etc/lamppost.toml"

[ $live = yes ] || exit 0
chown -R root:lamppost "$etc"
chmod -R u=rwX,g=rX,o= "$etc"
"$bin" check --config /etc/lamppost/lamppost.toml
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable lamppost
  systemctl restart lamppost
  systemctl --no-pager --lines=0 status lamppost
fi
echo "Lamppost is installed: lamppost status tells how it is, journalctl -u lamppost what it says."
