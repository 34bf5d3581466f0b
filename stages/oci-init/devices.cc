// Nodes and links, relative to descriptors of their directories.
#include "devices.h"

#include "mounter.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/// The directory that most of them share is looked up once.
class Directories {
public:
    explicit Directories(const InRoot& root) : root_(root) {}

    struct Place {
        int directory;
        std::string name;
    };
    Result<Place> find(std::string_view path)
    {
        std::string clean = clean_path(path);
        size_t slash = clean.rfind('/');
        if (clean.size() == slash + 1)
            return Error{"'" + std::string(path) + "' is the root of the container"};
        if (!directory_ || clean.substr(0, slash) != path_) {
            path_ = clean.substr(0, slash);
            // A /dev of the image that is a link gets no nodes at its other end (CVE-2026-41579).
            const bool in_dev = clean.starts_with("/dev/");
            Result<UniqueFd> opened = root_.make_directories(path_, 0755, in_dev ? Links::refuse : Links::follow);
            if (!opened.has_value() && opened.error().error_number == ELOOP)
                return Error{"'" + path_ + "' must be a directory, not a link"};
            directory_ = TRY(std::move(opened));
        }
        return Place{directory_.get(), clean.substr(slash + 1)};
    }

private:
    const InRoot& root_;
    std::string path_;
    UniqueFd directory_;
};

/// One `init.device` line.
struct Device {
    mode_t type;  ///< S_IFCHR, S_IFBLK or S_IFIFO
    std::string path;
    dev_t number;
    mode_t mode;
    uid_t uid;
    gid_t gid;

    bool is(const struct stat& status) const
    {
        return (status.st_mode & S_IFMT) == type && (type == S_IFIFO || status.st_rdev == number);
    }
};

static Result<Device> parse_device(const Directive& line)
{
    Device device{};
    const Field type = line[0];
    device.type = type == "b" ? S_IFBLK : type == "p" ? S_IFIFO : S_IFCHR;
    if (type != "b" && type != "p" && type != "c" && type != "u")
        return Error{"'" + std::string(type) + "' is no type of device"};
    device.path = line[1];
    // A fifo has no numbers.
    if (type != "p")
        device.number = makedev(TRY(parse_unsigned(line[2])), TRY(parse_unsigned(line[3])));
    device.mode = static_cast<mode_t>(TRY(parse_unsigned(line[4], 8))) & 07777;
    device.uid = static_cast<uid_t>(TRY(parse_unsigned(line[5])));
    device.gid = static_cast<gid_t>(TRY(parse_unsigned(line[6])));
    return device;
}

/// Binds the host's node of the same path.
static Result<void> bind_from_host(Container& container, const Device& device, const Directories::Place& place)
{
    const std::string what = "cannot bind the host's device '" + device.path + "'";
    Mounter::Source source = TRY(Mounter::copy_mount(AT_FDCWD, device.path, false).with_context("cannot make the device '" + device.path + "'"));
    struct stat status;
    if (::fstat(source.fd.get(), &status) < 0)
        return errno_error(what);
    if (!device.is(status))
        return Error{what + ": there it is another device"};
    UniqueFd file(::openat(place.directory, place.name.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0644));
    UniqueFd target(::openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!target)
        return errno_error(what);
    Mounter mounter(container.root);
    TRY(mounter.attach(std::move(source), target.get(), device.path));
    return {};
}

static Result<void> make_device(Container& container, Directories& directories, const Device& device)
{
    Directories::Place place = TRY(directories.find(device.path));
    const char* name = place.name.c_str();
    const std::string what = "cannot make the device '" + device.path + "'";
    if (::mknodat(place.directory, name, device.type | device.mode, device.number) < 0) {
        int problem = errno;
        struct stat status;
        if (problem == EEXIST && ::fstatat(place.directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
            if (device.is(status))
                return {};
            // An empty file is what a bind of an earlier start has left.
            if (!S_ISREG(status.st_mode) || status.st_size != 0)
                return Error{what + ": something else has its name", EEXIST};
        } else if (problem != EPERM || device.type == S_IFIFO) {
            return Error{what, problem};
        }
        return bind_from_host(container, device, place);
    }
    if ((device.uid != 0 || device.gid != 0) && ::fchownat(place.directory, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) < 0)
        return errno_error("cannot set the owner of the device '" + device.path + "'");
    return {};
}

Result<void> make_devices(Container& container)
{
    Directories directories(container.root);
    for (const Directive& line : container.plan.directives()) {
        if (!line.is("init.device"))
            continue;
        Device device = TRY(parse_device(line).with_pointer(line.pointer));
        stage::step("make device " + device.path);
        TRY(make_device(container, directories, device).with_pointer(line.pointer));
    }
    return {};
}

Result<void> make_links(Container& container)
{
    Directories directories(container.root);
    for (const Directive& line : container.plan.directives()) {
        if (!line.is("init.link"))
            continue;
        stage::step("make link " + std::string(line[0]));
        Directories::Place place = TRY(directories.find(line[0]).with_pointer(line.pointer));
        if (::symlinkat(line[1].data(), place.directory, place.name.c_str()) < 0 && errno != EEXIST)
            return errno_error("cannot make the link '" + std::string(line[0]) + "'").with_pointer(line.pointer);
    }
    return {};
}
