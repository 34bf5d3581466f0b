// Handlers for `linux.cgroupsPath` and `linux.resources`.
//
// Zero is no limit but the absence of a wish: engines write it for what was not asked for. -1 is unlimited. Where zero turns
// something off, it is a wish in an update.
#include "handlers.h"
#include "planner.h"

static bool is_single_name(std::string_view name)
{
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos)
        return false;
    for (char c : name)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
            return false;
    return true;
}

void plan_cgroups_path(Planner& planner, Value value, Property property)
{
    std::string_view rest = value.text();
    if (rest.empty())
        return;
    for (;;) {
        size_t slash = rest.find('/');
        if (rest.substr(0, slash) == "..")
            return planner.add_problem(value, "a path without '..'");
        if (slash == std::string_view::npos)
            break;
        rest.remove_prefix(slash + 1);
    }
    planner.emit(property.note(), value, {value.text()});
}

void plan_memory_amount(Planner& planner, Value value, Property property)
{
    if (*value.to_signed() < -1)
        planner.add_problem(value, "a number of bytes, or -1 for unlimited");
    else
        plan_limit(planner, value, property);
}

void plan_swappiness(Planner& planner, Value value, Property property)
{
    // Here zero is a wish: swap as little as possible (Documentation/admin-guide/cgroup-v1/memory.rst).
    if (planner.check_range(value, 0, 100))
        planner.emit(property.note(), value, {value.text()});
}

void plan_idle(Planner& planner, Value value, Property property)
{
    if (planner.check_range(value, 0, 1))
        plan_switched(planner, value, property);
}

void plan_switched(Planner& planner, Value value, Property property)
{
    // Off is what a new cgroup is anyway.
    if (value.text() != "0" || planner.is_update())
        planner.emit(property.note(), value, {value.text()});
}

void plan_pids_limit(Planner& planner, Value value, Property property)
{
    // Zero is a wish in a configuration (the least: one process); engines that update only some limits write it for the others.
    if (*value.to_signed() < -1)
        planner.add_problem(value, "a number of processes, or -1 for unlimited");
    else if (value.text() != "0" || !planner.is_update())
        planner.emit(property.note(), value, {value.text()});
}

void plan_cpu_list(Planner& planner, Value value, Property property)
{
    if (!value.text().empty() && planner.check_number_list(value))
        planner.emit(property.note(), value, {value.text()});
}

void plan_io_weight(Planner& planner, Value value, Property property)
{
    if (value.text() == "0")
        return;
    if (planner.check_range(value, 10, 1000))
        planner.emit(property.note(), value, {value.text()});
}

static bool check_device_numbers(Planner& planner, Value value)
{
    return planner.check_range(value["major"], 0, 0xfff) && planner.check_range(value["minor"], 0, 0xfffff);
}

void plan_weight_device(Planner& planner, Value value, Property property)
{
    if (!check_device_numbers(planner, value))
        return;
    std::string_view weights[2];
    const char* const names[] = {"weight", "leafWeight"};
    for (size_t i = 0; i < 2; i++) {
        Value weight = value[names[i]];
        if (!weight || weight.text() == "0")
            continue;
        if (!planner.check_range(weight, 10, 1000))
            return;
        weights[i] = weight.text();
    }
    planner.emit(property.note(), value, {value["major"].text(), value["minor"].text(), weights[0], weights[1]});
}

void plan_throttle(Planner& planner, Value value, Property property)
{
    if (!check_device_numbers(planner, value))
        return;
    std::string_view where = property.pattern();
    const char* kind = where.find("ReadBps") != std::string_view::npos    ? "read-bps"
                       : where.find("WriteBps") != std::string_view::npos ? "write-bps"
                       : where.find("ReadIOPS") != std::string_view::npos ? "read-iops"
                                                                          : "write-iops";
    Value rate = value["rate"];
    // Zero lifts a limit that was there before.
    if (rate && (rate.text() != "0" || planner.is_update()))
        planner.emit(property.note(), value, {kind, value["major"].text(), value["minor"].text(), rate.text()});
}

void plan_hugepage_limit(Planner& planner, Value value, Property property)
{
    // The size becomes part of a file's name (runc#4103): nothing but the form that the kernel uses.
    Value page_size = value["pageSize"];
    std::string_view digits = page_size.text();
    bool is_size = digits.size() > 2 && digits.size() < 12 && digits.ends_with('B') && contains_word("K M G", digits.substr(digits.size() - 2, 1));
    if (is_size) {
        digits.remove_suffix(2);
        is_size = digits[0] != '0' && digits.find_first_not_of("0123456789") == std::string_view::npos;
    }
    if (is_size)
        planner.emit(property.note(), value, {page_size.text(), value["limit"].text()});
    else
        planner.add_problem(page_size, "a size of pages such as 64KB, 2MB or 1GB");
}

void plan_network_priority(Planner& planner, Value value, Property property)
{
    // net_prio.ifpriomap takes 'NAME PRIORITY'.
    if (is_single_name(value["name"].text()))
        planner.emit(property.note(), value, {value["name"].text(), value["priority"].text()});
    else
        planner.add_problem(value["name"], "the name of a network interface");
}

void plan_rdma(Planner& planner, Value value, Property property)
{
    if (!is_single_name(value.key()))
        return planner.add_sentence(value, "found the key " + quoted(value.key()) + ", expected the name of an RDMA device");
    if (value["hcaHandles"] || value["hcaObjects"])
        planner.emit(property.note(), value, {value.key(), value["hcaHandles"].text(), value["hcaObjects"].text()});
}

void plan_unified(Planner& planner, Value value, Property property)
{
    if (is_single_name(value.key()))
        planner.emit(property.note(), value, {value.key(), value.text()});
    else
        planner.add_sentence(value, "found the key " + quoted(value.key()) + ", expected the name of a file in a cgroup, without '/'");
}

void plan_device_rule(Planner& planner, Value value, Property property)
{
    Value type = value["type"];
    Value access = value["access"];
    std::string_view kind = type.text().empty() ? "a" : type.text();
    if (type && !type.text().empty() && !planner.check_word(type, "a b c"))
        return;
    if (access.text().find_first_not_of("rwm") != std::string_view::npos || access.text().size() > 3)
        return planner.add_problem(access, "some of the letters r, w and m");
    // -1 is the wildcard of early versions of the runtime-spec, and still written.
    if (!planner.check_range(value["major"], -1, 0xfff) || !planner.check_range(value["minor"], -1, 0xfffff))
        return;
    auto number = [&](const char* name) {
        return !value[name] || value[name].text() == "-1" ? std::string_view("*") : value[name].text();
    };
    // Without a rule for all devices at the top, what no rule names would keep the caller's permission.
    if (value.index() == 0 && kind != "a")
        planner.emit_default(property.note(), {"deny", "a", "*", "*", "rwm"});
    planner.emit(property.note(), value,
                 {value["allow"].is_true() ? "allow" : "deny", kind, number("major"), number("minor"), access.text().empty() ? "rwm" : access.text()});
}
