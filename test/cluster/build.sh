#!/usr/bin/env bash
# Builds the servers and tools of Kubernetes that the tests run against, from the Go module proxy, into .tools/cluster.
#
# Usage: test/cluster/build.sh [control-plane|cluster|NAME …]
#
#   control-plane  what the integration tests need; what is built without names
#   cluster        what a cluster with a node needs (test/cluster/main.ts)
#   NAME           one of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl,
#                  coredns, helm, kueue, kwok, prometheus, versitygw
#
# Versions are pinned in go/*/go.mod, contents by go.sum. Each binary
# has a stamp that holds a hash of what went into it, written last: a second run does nothing.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$(cd "$folder/../.." && pwd)/.tools/cluster

say() { echo "[cluster] $*"; }

fail() {
  echo "[cluster] FAILED: $1" >&2
  exit 1
}

# Go compares versions itself, and may fetch the one it needs (GOTOOLCHAIN): asked for anything in a module, it says.
check_go() {
  local module=$1 wanted
  wanted=$(sed -n 's/^go //p' "$module/go.mod")
  command -v go >/dev/null ||
    fail "Go $wanted or later is needed to build Kubernetes, and there is no \"go\" on PATH. Install it (https://go.dev/dl), then run the same command again."
  (cd "$module" && go list -m >/dev/null) ||
    fail "Go $wanted or later is needed to build Kubernetes; the \"go\" on PATH says above what it lacks. Install a newer one (https://go.dev/dl), then run the same command again."
}

# The version of a module that a go.mod requires.
required() { sed -n "s|^[[:space:]]*\(require \)\?$2 \(v[^ ]*\).*|\2|p" "$1/go.mod" | head -1; }

kubernetes_flags() {
  local version=$1 package=k8s.io/component-base/version rest
  rest=${version#v*.}
  echo "-X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${rest%%.*} -X $package.gitTreeState=clean"
}

# build NAME MODULE PACKAGE FLAGS [TAGS]: unless the stamp says that the binary is there already.
build() {
  local name=$1 module=$folder/go/$2 package=$3 flags=$4 tags=${5:-} inputs started=$SECONDS
  inputs=$(cat "$module/go.mod" "$module/go.sum" "$folder/build.sh" | sha256sum | cut -c1-64)
  [[ -x $output/$name && -f $output/$name.stamp && $(<"$output/$name.stamp") == "$inputs" ]] && return
  check_go "$module"
  say "Building $name from the Go module proxy, once (the first takes some minutes; what they share is built once)."
  # Two compilers at a time, behind whatever else the machine is doing.
  (cd "$module" && CGO_ENABLED=0 nice -n 10 go build -p 2 -trimpath -buildvcs=false -tags "$tags" -ldflags "-s -w $flags" \
    -o "$output/$name.partial" "$package" 2> >(grep --line-buffered -v '^go: downloading ' >&2)) ||
    fail "$name could not be built; Go says why above. Check the network and the free disk space (5 GB), then run the same command again: it goes on from here."
  mv "$output/$name.partial" "$output/$name"
  echo "$inputs" >"$output/$name.stamp.partial"
  mv "$output/$name.stamp.partial" "$output/$name.stamp"
  say "$name is built: $((SECONDS - started)) s, $(du -m "$output/$name" | cut -f1) MB."
}

# Kueue's own definitions and webhooks, which are not in its binary.
kueue_manifests() {
  local version=$1 target=$output/kueue.manifests source
  [[ -f $target/$version ]] && return
  source=$(cd "$folder/go/kueue" && go list -m -f '{{.Dir}}' sigs.k8s.io/kueue)/config/components
  rm -rf "$target"
  mkdir "$target"
  cp "$source"/crd/bases/*.yaml "$source/webhook/manifests.yaml" "$target"
  touch "$target/$version"
}

build_named() {
  local version
  case $1 in
    etcd) build etcd kubernetes go.etcd.io/etcd/server/v3 '' ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy | kubectl)
      version=$(required "$folder/go/kubernetes" k8s.io/kubernetes)
      build "$1" kubernetes "k8s.io/kubernetes/cmd/$1" "$(kubernetes_flags "$version")"
      ;;
    kwok)
      version=$(required "$folder/go/kwok" sigs.k8s.io/kwok)
      build kwok kwok sigs.k8s.io/kwok/cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=$version"
      ;;
    coredns) build coredns coredns github.com/coredns/coredns '' ;;
    helm)
      version=$(required "$folder/go/helm" helm.sh/helm/v4)
      build helm helm helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$version"
      ;;
    kueue)
      version=$(required "$folder/go/kueue" sigs.k8s.io/kueue)
      build kueue kueue sigs.k8s.io/kueue/cmd/kueue "-X sigs.k8s.io/kueue/pkg/version.GitVersion=$version"
      kueue_manifests "$version"
      ;;
    prometheus)
      # Debian's cannot look for pods and services.
      build prometheus prometheus github.com/prometheus/prometheus/cmd/prometheus '' remove_all_sd,enable_kubernetes_sd
      ;;
    versitygw)
      version=$(required "$folder/go/versitygw" github.com/versity/versitygw)
      build versitygw versitygw github.com/versity/versitygw/cmd/versitygw "-X main.Version=$version"
      ;;
    control-plane) build_all etcd kube-apiserver kube-controller-manager kubectl versitygw kueue ;;
    cluster) build_all control-plane kube-scheduler kubelet kube-proxy coredns helm ;;
    *) fail "there is no \"$1\" to build; $0 says at its top what there is." ;;
  esac
}

build_all() {
  local name
  for name in "$@"; do
    build_named "$name"
  done
}

wait_for_other_build() {
  mkdir -p "$output"
  exec 9>"$output/build.lock"
  flock --nonblock 9 && return
  say 'Another build is running in this folder; waiting for it.'
  flock 9
}

wait_for_other_build
[[ $# -gt 0 ]] || set -- control-plane
build_all "$@"
