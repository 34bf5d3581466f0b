// close_range(2), or the list of descriptors where the kernel does not have it.
#include "descriptors.h"

#include "fd/fd.h"
#include "plan/plan.h"
#include "proc/proc_handle.h"

#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static constexpr unsigned close_range_cloexec = 4;  // CLOSE_RANGE_CLOEXEC, Linux >= 5.11

Result<void> close_on_exec_from(int first)
{
    if (::syscall(SYS_close_range, static_cast<unsigned>(first), UINT_MAX, close_range_cloexec) == 0)
        return {};
    ProcHandle proc = TRY(ProcHandle::open(ProcHandle::Content::tasks));
    UniqueFd list = TRY(proc.open_file("self/fd", O_RDONLY | O_DIRECTORY));
    std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(list.get()), ::closedir);
    if (!directory)
        return errno_error("cannot list the open descriptors");
    (void)list.release();
    while (const dirent* entry = ::readdir(directory.get())) {
        Result<long long> fd = parse_number(entry->d_name);
        if (fd.has_value() && fd.value() >= first && ::fcntl(static_cast<int>(fd.value()), F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
            return errno_error("cannot close descriptor " + std::to_string(fd.value()) + " for the program");
    }
    return {};
}
