#!/bin/sh
# Runs Lamppost as its image would, without a container engine: in a root with nothing but the C library, the binary, the
# certificates and the shipped config; as a user that is nobody, with everything read-only but the two volumes.
#   tests/install/image.sh path/to/lamppost
set -eu
binary=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v bwrap >/dev/null || { echo "skipped: the image's root (no bwrap here; Debian package bubblewrap)"; exit 0; }
root=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$root"' EXIT

# What ldd names: all of it is in debian:bookworm-slim, which has libgcc-s1 and libc6.
mkdir -p "$root/image/usr/local/bin" "$root/image/etc/ssl/certs" "$root/image/etc/lamppost" "$root/log" "$root/data"
cp "$binary" "$root/image/usr/local/bin/lamppost"
for library in $(ldd "$binary" | grep -o '/[^ )]*'); do
  case "$library" in
    */libc.so.* | */libm.so.* | */libgcc_s.so.* | */ld-linux*) ;;
    *) echo "the binary needs $library, which the image does not have" >&2; exit 1 ;;
  esac
  mkdir -p "$root/image$(dirname "$library")"
  cp -L "$library" "$root/image$library"
done
cp /etc/ssl/certs/ca-certificates.crt "$root/image/etc/ssl/certs/" 2>/dev/null || true
cp -r "$here/schemas/datasets" "$root/image/etc/lamppost/contracts"
# A port below those the kernel gives away, and the shipped config but for it. The networks of the config do not matter here: the probe asks from inside.
port=$((10000 + $$ % 20000))
sed "s/:8080\"/:$port\"/" "$here/install/container.toml" > "$root/image/etc/lamppost/lamppost.toml"
mkdir -p "$root/image/var/lib/lamppost/log" "$root/image/var/lib/lamppost/data" "$root/image/proc" "$root/image/dev" "$root/image/tmp"
chmod -R a+rX "$root"
chmod 0777 "$root/log" "$root/data"

inside() {
  exec bwrap --unshare-user --uid 10001 --gid 10001 --unshare-pid --unshare-ipc --unshare-uts --die-with-parent \
    --ro-bind "$root/image" / --bind "$root/log" /var/lib/lamppost/log --bind "$root/data" /var/lib/lamppost/data \
    --proc /proc --dev /dev --clearenv --setenv PATH /usr/local/bin --chdir /var/lib/lamppost "$@"
}
if ! (inside lamppost --version) >/dev/null 2>"$root/said"; then
  case "$(cat "$root/said")" in
    *namespace* | *"Operation not permitted"*) echo "skipped: the image's root (bwrap may not make namespaces here)"; exit 0 ;;
    *) cat "$root/said" >&2; exit 1 ;;
  esac
fi
(inside lamppost check --config /etc/lamppost/lamppost.toml)
(inside lamppost serve --config /etc/lamppost/lamppost.toml) > "$root/out" 2>&1 &
server=$!
tries=0
until (inside lamppost status --probe ready --url "http://127.0.0.1:$port") 2>"$root/said"; do
  tries=$((tries + 1))
  kill -0 "$server" 2>/dev/null || { cat "$root/out" >&2; exit 1; }
  [ $tries -lt 100 ] || { cat "$root/said" "$root/out" >&2; exit 1; }
  sleep 0.2
done
(inside lamppost status --url "http://127.0.0.1:$port")
# Process 1 of a container gets the signal itself: here that is the child of bwrap's.
inner=$(pgrep -P "$(pgrep -P "$server")")
kill -TERM "$inner"
code=0
wait "$server" || code=$?
server=
[ $code = 0 ] || { echo "it ended with $code" >&2; cat "$root/out" >&2; exit 1; }
grep -q "readings taken" "$root/out"
[ -e "$root/log/id" ] && [ -n "$(ls -A "$root/data")" ]
echo "as the image would: well"
