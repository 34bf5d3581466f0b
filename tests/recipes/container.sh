#!/bin/sh
# A container without ocirun: container.sh BUNDLE [PROGRAM [ARG]...]
set -eu
bundle=$1; shift
name=recipe-$$
plan=$(mktemp); trap 'oci-cgroup delete --kill --if-exists "/$name"; rm -f "$plan" "$plan.bpf"' EXIT
oci-spec plan "$bundle/config.json" >"$plan"
# The cgroup first, so that its limits hold from the start; what it prints are the lines that the next stages need.
oci-cgroup create --plan-fd 5 --name "$name" "/$name" 5<"$plan" |
    while read -r location; do printf 'ns.cgroup\t-\t%s\ninit.cgroup\t-\t%s\n' "$location" "$location"; done >"$plan.bpf"
sed -i -e '/^end$/d' "$plan"; cat "$plan.bpf" >>"$plan"; echo end >>"$plan"
oci-seccomp compile <"$plan" >"$plan.bpf"
oci-ns new --plan-fd 5 --seal -- oci-init run --plan-fd 5 --bundle "$bundle" --seccomp-fd 6 -- "$@" 5<"$plan" 6<"$plan.bpf"
