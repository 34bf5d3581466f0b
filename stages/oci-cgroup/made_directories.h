// Directories that are removed again unless all has succeeded.
#pragma once

#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

/// What was made: removed by the destructor, the last first, unless it was kept.
class MadeDirectories {
public:
    MadeDirectories() = default;
    MadeDirectories(MadeDirectories&& other) noexcept : directories_(std::exchange(other.directories_, {})) {}
    MadeDirectories& operator=(MadeDirectories&&) = delete;
    ~MadeDirectories()
    {
        for (size_t i = directories_.size(); i > 0; i--)
            ::rmdir(directories_[i - 1].c_str());
    }
    void add(std::string directory) { directories_.push_back(std::move(directory)); }
    void keep() { directories_.clear(); }

private:
    std::vector<std::string> directories_;
};
