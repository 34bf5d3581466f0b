// Opening a pty from inside, checked at each step.
#include "terminal.h"

#include "mounter.h"
#include "privileges.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif

// Documentation/admin-guide/devices.txt: 5:2 is /dev/ptmx; 136 to 143 are slaves.
static bool is_pty(int fd, unsigned first_major, unsigned last_major, int wanted_minor)
{
    struct stat status;
    struct statfs filesystem;
    return ::fstat(fd, &status) == 0 && ::fstatfs(fd, &filesystem) == 0 && filesystem.f_type == DEVPTS_SUPER_MAGIC &&
           S_ISCHR(status.st_mode) && major(status.st_rdev) >= first_major && major(status.st_rdev) <= last_major &&
           (wanted_minor < 0 || minor(status.st_rdev) == static_cast<unsigned>(wanted_minor));
}

Result<void> use_own_null_device(const InRoot& root)
{
    UniqueFd own;
    for (int fd = 0; fd <= 2; fd++) {
        if (!is_null_device(fd))
            continue;
        if (!own) {
            const std::string attempted = "descriptor " + std::to_string(fd) + " is the host's null device, and the container has none of its own to take its place";
            UniqueFd found = TRY(root.open("/dev/null", O_PATH, Links::refuse).with_context(attempted));
            if (!is_null_device(found.get()))
                return Error{attempted + ": '/dev/null' is something else"};
            own = TRY(root.open("/dev/null", O_RDWR | O_NOCTTY, Links::refuse).with_context(attempted));
            if (!is_null_device(own.get()))
                return Error{attempted + ": '/dev/null' was exchanged"};
        }
        if (::dup2(own.get(), fd) < 0)
            return errno_error("cannot put the container's null device on descriptor " + std::to_string(fd));
    }
    return {};
}

Result<UniqueFd> open_terminal(const InRoot& root, const Plan& plan, Control& control)
{
    const Directive* line = plan.find("init.terminal");
    if (!control.is_driven())
        return Error{"nobody is there to take the terminal; set /process/terminal to false, or use ocirun"}.with_pointer(line->pointer);
    stage::step("open a terminal");
    // First a look at what it is: an image may have put a device there whose mere opening does something.
    UniqueFd found = TRY(root.open("/dev/pts/ptmx", O_PATH, Links::refuse).with_context("cannot open a terminal: the container has no devpts on /dev/pts"));
    if (!is_pty(found.get(), 5, 5, 2))
        return Error{"cannot open a terminal: '/dev/pts/ptmx' is not that of a devpts"};
    UniqueFd master = TRY(root.open("/dev/pts/ptmx", O_RDWR | O_NOCTTY, Links::refuse));
    if (!is_pty(master.get(), 5, 5, 2))
        return Error{"cannot open a terminal: '/dev/pts/ptmx' was exchanged"};

    int unlocked = 0;
    if (::ioctl(master.get(), TIOCSPTLCK, &unlocked) < 0)
        return errno_error("cannot unlock the terminal");
    // By the master, not by a path (CVE-2025-52565).
    UniqueFd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave)
        return errno_error("cannot open the terminal's slave");
    if (!is_pty(slave.get(), 136, 143, -1))
        return Error{"cannot open a terminal: its slave is not on a devpts"};

    winsize size{};
    size.ws_row = static_cast<unsigned short>(TRY(parse_unsigned((*line)[0]).with_pointer(line->pointer)));
    size.ws_col = static_cast<unsigned short>(TRY(parse_unsigned((*line)[1]).with_pointer(line->pointer)));
    if ((size.ws_row != 0 || size.ws_col != 0) && ::ioctl(slave.get(), TIOCSWINSZ, &size) < 0)
        return errno_error("cannot set the size of the terminal");
    // The group stays the one that devpts gives (tty).
    const User user = TRY(read_user(plan));
    if (::fchown(slave.get(), user.uid, static_cast<gid_t>(-1)) < 0)
        return errno_error("cannot give the terminal to the user");
    TRY(control.say("terminal", master.get()));
    return slave;
}

Result<void> mount_console(Container& container, int slave)
{
    stage::step("mount /dev/console");
    UniqueFd target = TRY(container.root.make_file("/dev/console", 0620, Links::refuse));
    Mounter mounter(container.root);
    Mounter::Source copy = TRY(Mounter::copy_mount(slave, "", false));
    TRY(mounter.attach(std::move(copy), target.get(), "/dev/console"));
    return {};
}

Result<void> take_terminal(UniqueFd slave)
{
    if (::ioctl(slave.get(), TIOCSCTTY, 0) < 0)
        return errno_error("cannot make the terminal the controlling one");
    for (int fd = 0; fd < 3; fd++)
        if (::dup2(slave.get(), fd) < 0)
            return errno_error("cannot put the terminal on descriptor " + std::to_string(fd));
    if (slave.get() < 3)
        (void)slave.release();
    return {};
}
