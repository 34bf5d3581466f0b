# The engines' profile format (containers-common's seccomp.json) as a plan, for a container with
# the architecture $arch and no capabilities: what an engine writes into config.json's linux.seccomp.
def architectures: [$arch] + [.archMap[] | select(.architecture == $arch) | .subArchitectures[]];
def short: {"SCMP_ARCH_X86_64": "amd64", "SCMP_ARCH_AARCH64": "arm64"}[$arch];
def applies:
  ((.includes.arches // null) as $a | $a == null or ($a | index(short)) != null) and
  ((.excludes.arches // []) | index(short)) == null and
  (.includes.caps // [] | length) == 0;

"plan 1",
(["seccomp.default", "/linux/seccomp/defaultAction", .defaultAction, ($errno // .defaultErrnoRet // "")] | @tsv),
(architectures | to_entries[] | ["seccomp.arch", "/linux/seccomp/architectures/\(.key)", .value] | @tsv),
(.syscalls | map(select(applies)) | to_entries[] |
  ["seccomp.rule", "/linux/seccomp/syscalls/\(.key)", .value.action, (.value.errnoRet // ""), (.value.names | join(","))]
  + [.value.args // [] | .[] | "\(.index):\(.op):\(.value):\(.valueTwo // 0)"] | @tsv),
"end"
