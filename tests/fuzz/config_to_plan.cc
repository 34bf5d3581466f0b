// libFuzzer target: any bytes as a config.json. What has no problem has a plan that the readers take; what is printed says the same.
#include "difference.h"
#include "planner.h"
#include "stage/stage.h"
#include "tree.h"

#include <cstdlib>
#include <fcntl.h>
#include <optional>

/// The plan, if nothing was wrong.
static std::optional<std::string> plan_of(std::string_view text, Subject subject, bool is_strict)
{
    Problems problems;
    Document document = Document::parse(std::string(text), subject == Subject::config ? "" : "/process", problems);
    Planner planner(document, subject, is_strict, problems);
    planner.run();
    // A problem has a sentence, and as many are said as there are, up to the bound.
    std::vector<Error> errors = problems.to_errors(document);
    if (errors.empty() != (problems.count() == 0) || errors.size() > max_errors + 1)
        std::abort();
    for (const Error& error : errors)
        if (error.message().find('\n') != std::string::npos)
            std::abort();
    if (problems.count() > 0)
        return std::nullopt;
    return std::move(planner).take_plan();
}

static void check_printing(std::string_view text, const std::string& plan)
{
    Problems problems;
    Document document = Document::parse(std::string(text), "", problems);
    for (const std::string& printed : {Tree(document.root()).print(), Tree(document.root()).print_line()}) {
        Document again = Document::parse(printed, "", problems);
        if (problems.count() > 0 || !differences(document.root(), again.root()).empty() || plan_of(printed, Subject::config, false) != plan)
            std::abort();
    }
}

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    // Warnings are nobody's business here.
    stage::set_error_fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::optional<std::string> plan = plan_of(text, Subject::config, false);
    std::optional<std::string> strict = plan_of(text, Subject::config, true);
    // Strictly, less is taken, and what is taken means the same.
    if (strict && strict != plan)
        std::abort();
    if (plan) {
        if (!Plan::parse(*plan, "").has_value())
            std::abort();
        check_printing(text, *plan);
    }
    if (std::optional<std::string> process = plan_of(text, Subject::process, false); process && !Plan::parse(*process, "").has_value())
        std::abort();
    return 0;
}
