// What the runtime can do, said from the tables by which it does it.
#include "features_document.h"

#include "mounts/mount_options.h"
#include "properties.h"
#include "scan/scan.h"
#include "seccomp/filter.h"
#include "version.h"
#include "words.h"

#include <seccomp.h>

namespace {

// What no table says. Each has a test in tests/oci-spec/features.bats that must be changed with it.
constexpr bool has_systemd = true;        ///< cgroups by the system's manager
constexpr bool has_systemd_user = true;   ///< cgroups by a user's manager
constexpr bool has_checkpoint = false;

/// Annotations of config.json that change what is done, so that an engine may withhold them from its users; with a dot at
/// the end, all that begin so (runtime-spec features.md). Separated by blanks.
constexpr char unsafe_annotation_words[] = 
    "module.wasm.image/variant org.systemd.property. run.oci.delegate-cgroup run.oci.handler run.oci.hooks.stderr run.oci.hooks.stdout run.oci.keep_original_groups "
    "run.oci.mount_context_type run.oci.pidfd_receiver run.oci.seccomp.plugins run.oci.seccomp.receiver run.oci.seccomp_bpf_data "
    "run.oci.seccomp_fail_unknown_syscall run.oci.systemd.subgroup";

}  // namespace

static Tree list_of(std::string_view words)
{
    Tree list = Tree::array();
    while (!words.empty())
        list.append(Tree::string(take(words, ' ')));
    return list;
}

static Tree enabled(bool value)
{
    Tree object = Tree::object();
    object.set("enabled", Tree::boolean(value));
    return object;
}

static Tree hooks()
{
    Tree list = Tree::array();
    for (Property kind = Property::find("/hooks")->first(); kind; kind = kind.next())
        list.append(Tree::string(kind.name()));
    return list;
}

/// Without those that are some file system's own.
static Tree mount_options()
{
    Tree list = Tree::array();
    for (const MountOption& option : known_mount_options())
        if (option.kind != OptionKind::data)
            list.append(Tree::string(option.word));
    return list;
}

static Tree supported_flags()
{
    Tree list = Tree::array();
    for (std::string_view words = seccomp_flag_words; !words.empty();) {
        std::string_view flag = take(words, ' ');
        if (is_filter_flag_supported(flag))
            list.append(Tree::string(flag));
    }
    return list;
}

static Tree cgroup()
{
    Tree object = Tree::object();
    object.set("v1", Tree::boolean(true));
    object.set("v2", Tree::boolean(true));
    object.set("systemd", Tree::boolean(has_systemd));
    object.set("systemdUser", Tree::boolean(has_systemd_user));
    object.set("rdma", Tree::boolean(true));
    return object;
}

static Tree seccomp()
{
    Tree object = enabled(true);
    object.set("actions", list_of(seccomp_action_words));
    object.set("operators", list_of(seccomp_operator_words));
    object.set("archs", list_of(seccomp_arch_words));
    object.set("knownFlags", list_of(seccomp_flag_words));
    object.set("supportedFlags", supported_flags());
    return object;
}

static Tree intel_rdt()
{
    Tree object = enabled(true);
    object.set("schemata", Tree::boolean(true));
    object.set("monitoring", Tree::boolean(true));
    return object;
}

static Tree memory_policy()
{
    Tree object = Tree::object();
    object.set("modes", list_of(memory_policy_mode_words));
    object.set("flags", list_of(memory_policy_flag_words));
    return object;
}

static Tree linux_features()
{
    Tree mount_extensions = Tree::object();
    mount_extensions.set("idmap", enabled(true));

    Tree object = Tree::object();
    object.set("namespaces", list_of(namespace_words));
    object.set("capabilities", list_of(capability_words));
    object.set("cgroup", cgroup());
    object.set("seccomp", seccomp());
    object.set("apparmor", enabled(true));
    object.set("selinux", enabled(true));
    object.set("intelRdt", intel_rdt());
    object.set("memoryPolicy", memory_policy());
    object.set("mountExtensions", std::move(mount_extensions));
    object.set("netDevices", enabled(true));
    return object;
}

static Tree annotations()
{
    // Programs of one build go together: this is the library that oci-seccomp is linked with.
    const std::string libseccomp =
        std::to_string(SCMP_VER_MAJOR) + "." + std::to_string(SCMP_VER_MINOR) + "." + std::to_string(SCMP_VER_MICRO);
    Tree object = Tree::object();
    object.set("ocirun.version", Tree::string(OCIRUN_VERSION));
    object.set("ocirun.commit", Tree::string(OCIRUN_COMMIT));
    object.set("ocirun.checkpoint.enabled", Tree::string(has_checkpoint ? "true" : "false"));
    object.set("io.github.seccomp.libseccomp.version", Tree::string(libseccomp));
    return object;
}

Tree features()
{
    Tree document = Tree::object();
    document.set("ociVersionMin", Tree::string("1.0.0"));
    document.set("ociVersionMax", Tree::string(OCIRUN_SPEC_VERSION));
    document.set("hooks", hooks());
    document.set("mountOptions", mount_options());
    document.set("linux", linux_features());
    document.set("annotations", annotations());
    document.set("potentiallyUnsafeConfigAnnotations", list_of(unsafe_annotation_words));
    return document;
}
