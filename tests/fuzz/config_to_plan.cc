// libFuzzer target: any bytes as a config.json. What has no problem has a plan that the readers take; what is printed says the same.
#include "difference.h"
#include "planner.h"
#include "scan/scan.h"
#include "stage/stage.h"
#include "tree.h"
#include "words.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <random>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

/// Changes a document in its structure, as changed bytes rarely are JSON and hardly ever a property of the runtime-spec.
class Mutator {
public:
    Mutator(Tree& top, unsigned seed) : top_(top), random_(seed) {}

    void change()
    {
        switch (pick(4)) {
        case 0: set_property(); break;
        case 1: set_property(); break;
        case 2: any_node()->assign(any_value()); break;
        default: remove_something(); break;
        }
    }

private:
    size_t pick(size_t below) { return random_() % below; }

    /// A property of the table, at any place where it may be.
    void set_property()
    {
        static const std::vector<Property> properties = [] {
            std::vector<Property> found;
            std::vector<Property> open{Property::root().first()};
            while (!open.empty()) {
                Property property = open.back();
                open.pop_back();
                if (!property)
                    continue;
                found.push_back(property);
                open.push_back(property.next());
                open.push_back(property.first());
            }
            return found;
        }();
        const Property property = properties[pick(properties.size())];
        std::string pointer(property.pattern());
        for (size_t at; (at = pointer.find('*')) != std::string::npos;)
            pointer.replace(at, 1, pick(2) == 0 ? "0" : pick(2) == 0 ? "1" : "-");
        (void)set_at(top_, pointer, value_of(property.type()));
    }

    Tree value_of(Type type)
    {
        switch (type) {
        case Type::object:
        case Type::map: return Tree::object();
        case Type::array: return Tree::array();
        case Type::boolean: return Tree::boolean(pick(2) == 0);
        case Type::string: return Tree::string(any_word());
        case Type::anything: return any_value();
        default: return Tree::number(any_number());
        }
    }

    Tree any_value()
    {
        switch (pick(6)) {
        case 0: return Tree::object();
        case 1: return Tree::array();
        case 2: return Tree::boolean(true);
        case 3: return Tree::number(any_number());
        case 4: return Tree::string(any_word());
        default: return *any_node();
        }
    }

    const char* any_number()
    {
        static constexpr const char* numbers[] = {"0", "1", "-1", "2", "5", "99", "100", "511", "512", "1000", "4095", "4096", "65535", "65536", "1048575",
            "4294967294", "4294967295", "4294967296", "9223372036854775807", "18446744073709551615", "-9223372036854775808", "1.5", "1e9", "-0"};
        return numbers[pick(std::size(numbers))];
    }

    std::string_view any_word()
    {
        static const std::vector<std::string_view> words = [] {
            std::vector<std::string_view> found;
            for (std::string_view list : {std::string_view(capability_words), std::string_view(namespace_words), std::string_view(seccomp_action_words),
                     std::string_view(seccomp_operator_words), std::string_view(seccomp_arch_words), std::string_view(seccomp_flag_words),
                     std::string_view("/ /dev /dev/null /x . .. a=b =x 0-3,7 2MB MB:0=20 L3:0=f bind rbind idmap ridmap ro tmpfs proc net.x kernel.hostname private "
                                      "rshared RLIMIT_NOFILE SCHED_FIFO SCHED_DEADLINE IOPRIO_CLASS_BE LINUX32 a c b u p rwm 1.0.0 1.3.0 2.0.0 eth0 lo%d "
                                      "idmap=uids=0-1-2#3-4-5;gids=@0-1-2 MPOL_BIND MPOL_F_STATIC_NODES slice:prefix:name /a/../b \t\n \x7f")}) {
                while (!list.empty())
                    found.push_back(take(list, ' '));
            }
            found.emplace_back("");
            return found;
        }();
        return words[pick(words.size())];
    }

    Tree* any_node()
    {
        Tree* at = &top_;
        while (!at->items().empty() && (at == &top_ || pick(4) != 0))
            at = &at->items()[pick(at->items().size())];
        return at;
    }

    void remove_something()
    {
        Tree* at = any_node();
        if (!at->items().empty())
            at->items().erase(at->items().begin() + static_cast<ptrdiff_t>(pick(at->items().size())));
        else
            at->assign(Tree());
    }

    Tree& top_;
    std::mt19937 random_;
};

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed)
{
    Problems problems;
    Document document = Document::parse(std::string(reinterpret_cast<const char*>(data), size), "", problems);
    if (seed % 4 == 0 || !document.root() || problems.count() > 0)
        return LLVMFuzzerMutate(data, size, max_size);
    Tree tree(document.root());
    Mutator mutator(tree, seed);
    for (unsigned i = 0; i <= seed % 5; i++)
        mutator.change();
    std::string text = tree.print_line();
    if (text.size() > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    std::memcpy(data, text.data(), text.size());
    return text.size();
}

/// The plan, if nothing was wrong.
static std::optional<std::string> good_plan_of(std::string_view text, Subject subject, bool is_strict)
{
    Planned planned = plan_of(std::string(text), subject, is_strict);
    if (planned.errors.size() > max_errors + 1)
        std::abort();
    for (const Error& error : planned.errors)
        if (error.message().empty() || error.message().find('\n') != std::string::npos)
            std::abort();
    if (!planned.errors.empty())
        return std::nullopt;
    return std::move(planned.plan);
}

static void check_printing(std::string_view text, const std::string& plan)
{
    Problems problems;
    Document document = Document::parse(std::string(text), "", problems);
    for (const std::string& printed : {Tree(document.root()).print(), Tree(document.root()).print_line()}) {
        Document again = Document::parse(printed, "", problems);
        if (problems.count() > 0 || !differences(document.root(), again.root()).empty() || good_plan_of(printed, Subject::config, false) != plan)
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
    std::optional<std::string> plan = good_plan_of(text, Subject::config, false);
    std::optional<std::string> strict = good_plan_of(text, Subject::config, true);
    // Strictly, less is taken, and what is taken means the same.
    if (strict && strict != plan)
        std::abort();
    if (plan) {
        if (!Plan::parse(*plan, "").has_value())
            std::abort();
        check_printing(text, *plan);
    }
    for (Subject subject : {Subject::process, Subject::seccomp, Subject::resources})
        if (std::optional<std::string> part = good_plan_of(text, subject, false); part && !Plan::parse(*part, "").has_value())
            std::abort();
    return 0;
}
