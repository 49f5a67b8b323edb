#!/usr/bin/env bash
# Builds the Dockerfile to its end where no Docker engine runs, and fills a photo in what came out.
#
#   tests/container/build.sh FOLDER     (as root; Debian: apt install buildah debootstrap)
#
# buildah reads the real Dockerfile and runs each step in a chroot. Only the base image is another: no
# registry of images is at hand, so a Debian with its own Python, made by debootstrap, takes the name
# of python:3.12-slim. Then the image's entry point runs in the image's root as the image's user,
# without capabilities, and a photo is sent to the API. FOLDER keeps the base for the next time.
set -euo pipefail
source_folder="$(cd "$(dirname "$0")/../.." && pwd)"
mkdir -p "$1"
work="$(cd "$1" && pwd)"
port="${PORT:-8765}"
base="$work/base"

if [ ! -e "$base/.done" ]; then
    rm -rf "$base"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates trixie "$base"
    ln -sf python3 "$base/usr/bin/python"
    # Whom this machine trusts (a company's proxy, say), the base trusts too.
    cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*
    touch "$base/.done"
fi

cat > "$work/registries.conf" <<'CONF'
[aliases]
"python" = "localhost/python"
CONF
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$work/policy.json"
export CONTAINERS_REGISTRIES_CONF="$work/registries.conf"
export BUILDAH_ISOLATION=chroot
buildah=(buildah --root "$work/storage" --runroot "$work/runroot")
bud=(bud --pull-never --signature-policy "$work/policy.json" --format docker)
server=""
clean_up() {
    test -z "$server" || kill "$server" 2> /dev/null || true
    "${buildah[@]}" rm --all > /dev/null  # unmounts them, too
    rm -rf "$work/storage" "$work/runroot"
}
trap clean_up EXIT

container="$("${buildah[@]}" from scratch)"
"${buildah[@]}" copy --quiet "$container" "$base" / > /dev/null
"${buildah[@]}" config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
"${buildah[@]}" commit --quiet --signature-policy "$work/policy.json" --rm "$container" \
    localhost/python:3.12-slim > /dev/null

"${buildah[@]}" "${bud[@]}" --tag regionwise --file "$source_folder/Dockerfile" "$source_folder"

container="$("${buildah[@]}" from --pull-never --signature-policy "$work/policy.json" regionwise)"
root="$("${buildah[@]}" mount "$container")"
entry="$("${buildah[@]}" inspect --format \
    '{{range .Docker.Config.Entrypoint}}{{.}} {{end}}' --type image regionwise)"
user="$("${buildah[@]}" inspect --format '{{.Docker.Config.User}}' --type image regionwise)"
test "$user" != root && test -n "$user" && test "$user" != 0
echo "entry point: $entry as user $user"

# As the image's user, who may write nowhere in it.
chroot --userspec="$user:$user" "$root" /usr/bin/env -i PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 $entry --port "$port" > "$work/server.log" 2>&1 &
server=$!
for _ in $(seq 60); do
    curl --silent --fail "http://127.0.0.1:$port/healthz" > /dev/null && break
    sleep 1
done
curl --silent --show-error --fail \
    -F "photo=@$source_folder/examples/photos/rocket.jpg" \
    -F "mask=@$source_folder/examples/masks/rocket.png" \
    "http://127.0.0.1:$port/api/v1/fill" -o "$work/filled.jpg"
ps -o user:12=,args= -p "$server"
du -sh "$root/regionwise" | cut -f1
file_size="$(stat -c %s "$work/filled.jpg")"
test "$file_size" -gt 10000
echo "the container filled a photo: $work/filled.jpg, $file_size bytes"
