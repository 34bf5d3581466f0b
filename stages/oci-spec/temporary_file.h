// A file beside the one that it is to become.
#pragma once

#include "fd/fd.h"
#include "result/result.h"

#include <string>
#include <sys/types.h>

/// Complete from the start. Its name goes with the owner, if it is still there then.
class TemporaryFile {
public:
    static Result<TemporaryFile> create(const std::string& beside, mode_t mode, std::string_view text);
    TemporaryFile(TemporaryFile&&) = default;
    TemporaryFile& operator=(TemporaryFile&&) = delete;
    ~TemporaryFile();

    const std::string& path() const { return path_; }
    int fd() const { return file_.get(); }

private:
    TemporaryFile(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
    std::string path_;
    UniqueFd file_;
};
