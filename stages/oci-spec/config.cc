// The text of a new config.json.
#include "config.h"

#include "version.h"

// Capability sets: no inheritable and no ambient ones (CVE-2022-29162).
static constexpr const char* process = R"({
	"ociVersion": ")" OCIRUN_SPEC_VERSION R"(",
	"process": {
		"terminal": true,
		"user": {
			"uid": 0,
			"gid": 0
		},
		"args": [
			"sh"
		],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"effective": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"permitted": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			]
		},
		"rlimits": [
			{
				"type": "RLIMIT_NOFILE",
				"hard": 1024,
				"soft": 1024
			}
		],
		"noNewPrivileges": true
	},
	"root": {
		"path": "rootfs",
		"readonly": true
	},
	"hostname": "ocirun",
	"mounts": [
)";

static std::string mount(const char* destination, const char* type, const char* source, const char* options)
{
    std::string text = std::string("\t\t{\n\t\t\t\"destination\": \"") + destination + "\",\n\t\t\t\"type\": \"" + type +
                       "\",\n\t\t\t\"source\": \"" + source + "\"";
    if (*options != '\0') {
        text += ",\n\t\t\t\"options\": [\n\t\t\t\t\"";
        for (; *options != '\0'; options++)
            text += *options == ' ' ? std::string("\",\n\t\t\t\t\"") : std::string(1, *options);
        text += "\"\n\t\t\t]";
    }
    return text + "\n\t\t},\n";
}

static std::string mounts(bool is_rootless)
{
    std::string text = mount("/proc", "proc", "proc", "");
    text += mount("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k");
    // Group 5 (tty) is not mapped in a user namespace with one id.
    text += mount("/dev/pts", "devpts", "devpts",
                  is_rootless ? "nosuid noexec newinstance ptmxmode=0666 mode=0620" : "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5");
    text += mount("/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k");
    text += mount("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev");
    // A fresh sysfs needs a network namespace of one's own (Linux refuses it otherwise).
    text += is_rootless ? mount("/sys", "none", "/sys", "rbind nosuid noexec nodev ro")
                        : mount("/sys", "sysfs", "sysfs", "nosuid noexec nodev ro");
    text += mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro");
    text.erase(text.size() - 2, 1);
    return text;
}

static std::string id_mapping(const char* name, unsigned id)
{
    return std::string("\t\t\"") + name + "\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n\t\t\t\t\"hostID\": " + std::to_string(id) +
           ",\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n";
}

static std::string array_of_types(std::initializer_list<const char*> types)
{
    std::string text = "\t\t\"namespaces\": [\n";
    for (const char* type : types)
        text += std::string("\t\t\t{\n\t\t\t\t\"type\": \"") + type + "\"\n\t\t\t},\n";
    text.erase(text.size() - 2, 1);
    return text + "\t\t],\n";
}

static constexpr const char* resources = R"(		"resources": {
			"devices": [
				{
					"allow": false,
					"access": "rwm"
				}
			]
		},
)";

// CVE-2017-16539 (/proc/scsi); PLATYPUS, CVE-2020-8694 (powercap).
static constexpr const char* paths = R"(		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/proc/scsi",
			"/sys/firmware",
			"/sys/devices/virtual/powercap"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		]
	}
}
)";

std::string default_config()
{
    return process + mounts(false) + "\t],\n\t\"linux\": {\n" + resources +
           array_of_types({"pid", "network", "ipc", "uts", "mount", "cgroup"}) + paths;
}

std::string rootless_config(uid_t uid, gid_t gid)
{
    return process + mounts(true) + "\t],\n\t\"linux\": {\n" + id_mapping("uidMappings", uid) + id_mapping("gidMappings", gid) +
           array_of_types({"pid", "ipc", "uts", "mount", "cgroup", "user"}) + paths;
}
