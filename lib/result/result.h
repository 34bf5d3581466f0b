// Result: errors as values. See docs/architecture.md "Errors".
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The exit statuses of our programs (docs/architecture.md "Exit status").
enum ExitCode : int {
    exit_done = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_no_manager = 3,        ///< of oci-cgroup-systemd: no manager of systemd answers
    exit_stage_failed = 125,    ///< a chain loader failed before it became PROGRAM
    exit_cannot_execute = 126,  ///< PROGRAM cannot be executed
    exit_not_found = 127,       ///< PROGRAM not found
};

/// The text with its control characters as `\xNN`: what comes out of a root file system must not speak to a terminal, nor
/// begin a line of its own.
std::string printable(std::string_view text);

/// What could not be done: a sentence without the kernel's words, the errno (0: none), where in
/// config.json the wish came from (a JSON pointer, may be empty) and the status to end with.
struct [[nodiscard]] Error {
    std::string attempted;
    int error_number = 0;
    std::string pointer = {};
    int exit_code = exit_failed;

    /// Adds the JSON pointer, unless a deeper function has already named one.
    Error with_pointer(std::string_view where) &&
    {
        if (pointer.empty() && where != "-")
            pointer = where;
        return std::move(*this);
    }
    Error with_exit_code(int code) &&
    {
        exit_code = code;
        return std::move(*this);
    }
    /// Puts what only the caller knows before the sentence.
    Error with_context(std::string_view text) &&
    {
        attempted = std::string(text) + ": " + attempted;
        return std::move(*this);
    }
    /// The whole sentence: `POINTER: attempted: kernel's words`. Control characters but the end of a line are escaped.
    std::string message() const;
};

/// A value or an Error. `[[nodiscard]]`: a forgotten error does not compile.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return content_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() & { return *std::get_if<0>(&content_); }
    const T& value() const& { return *std::get_if<0>(&content_); }
    T value() && { return std::move(*std::get_if<0>(&content_)); }
    Error& error() & { return *std::get_if<1>(&content_); }
    const Error& error() const& { return *std::get_if<1>(&content_); }
    Error error() && { return std::move(*std::get_if<1>(&content_)); }

    Result with_pointer(std::string_view where) &&
    {
        if (has_value())
            return std::move(*this);
        return std::move(error()).with_pointer(where);
    }
    Result with_context(std::string_view text) &&
    {
        if (has_value())
            return std::move(*this);
        return std::move(error()).with_context(text);
    }
    Result with_exit_code(int code) &&
    {
        if (has_value())
            return std::move(*this);
        return std::move(error()).with_exit_code(code);
    }

private:
    std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}

    bool has_value() const { return !failed_; }
    explicit operator bool() const { return has_value(); }
    void value() const {}
    Error& error() & { return error_; }
    const Error& error() const& { return error_; }
    Error error() && { return std::move(error_); }

    Result with_pointer(std::string_view where) &&
    {
        if (failed_)
            error_ = std::move(error_).with_pointer(where);
        return std::move(*this);
    }
    Result with_context(std::string_view text) &&
    {
        if (failed_)
            error_ = std::move(error_).with_context(text);
        return std::move(*this);
    }
    Result with_exit_code(int code) &&
    {
        if (failed_)
            error_.exit_code = code;
        return std::move(*this);
    }

private:
    Error error_;
    bool failed_ = false;
};

/// An Error with the present errno. Read it in the very expression that follows the failed call.
inline Error errno_error(std::string attempted)
{
    int saved = errno;
    return Error{std::move(attempted), saved};
}

/// Unwraps a Result, or returns its error from the enclosing function.
#define TRY(expression)                                    \
    __extension__({                                        \
        auto result_of_try = (expression);                 \
        if (!result_of_try.has_value())                    \
            return std::move(result_of_try).error();       \
        std::move(result_of_try).value();                  \
    })
