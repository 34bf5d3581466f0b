// Making and removing a temporary file.
#include "temporary_file.h"

#include "stage/stage.h"

#include <fcntl.h>

Result<TemporaryFile> TemporaryFile::create(const std::string& beside, mode_t mode, std::string_view text)
{
    std::string path = beside + ".new-" + std::to_string(::getpid());
    stage::step("create " + path);
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file)
        return errno_error("cannot create '" + path + "'");
    TemporaryFile temporary(std::move(path), std::move(file));
    TRY(write_all(temporary.fd(), text).with_context("'" + temporary.path() + "'"));
    return temporary;
}

// A file that was moved from, or whose name is another file's now, has no descriptor or no name here.
TemporaryFile::~TemporaryFile()
{
    if (file_)
        ::unlink(path_.c_str());
}
