// libFuzzer target: any bytes as a plan, by the reader that every program uses. What it takes it takes for every stage, and writing
// it again changes nothing.
#include "mounts/mount_options.h"
#include "plan/plan.h"

#include <cstdlib>

static std::string write(const Plan& plan)
{
    PlanWriter writer;
    for (const Directive& directive : plan.directives()) {
        std::vector<std::string> fields(directive.fields.begin(), directive.fields.end());
        writer.add(directive.type->name(), directive.pointer, fields);
    }
    return std::move(writer).finish();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    Result<Plan> whole = Plan::parse(text, "");
    for (const char* stage : {"ocirun", "ns", "cgroup", "seccomp", "init"}) {
        Result<Plan> part = Plan::parse(text, stage);
        if (whole.has_value() && !part.has_value())
            std::abort();
        if (!part.has_value())
            continue;
        for (const Directive& directive : part.value().directives()) {
            // Fields go to system calls as they are.
            for (Field field : directive.fields)
                if (field.data()[field.size()] != '\0')
                    std::abort();
            if (directive.is("init.mount"))
                parse_mount_options(directive.fields.subspan(3));
        }
    }
    if (whole.has_value()) {
        std::string written = write(whole.value());
        Result<Plan> again = Plan::parse(written, "");
        if (!again.has_value() || write(again.value()) != written)
            std::abort();
    }
    if (Result<std::vector<std::string>> fields = split_fields(text); fields.has_value()) {
        std::string line;
        for (const std::string& field : fields.value()) {
            line += line.empty() && &field == fields.value().data() ? "" : "\t";
            append_escaped(line, field);
        }
        if (split_fields(line).value() != fields.value())
            std::abort();
    }
    return 0;
}
