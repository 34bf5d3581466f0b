// Walking two documents side by side.
#include "difference.h"

#include "tree.h"

#include <algorithm>
#include <vector>

static void add_line(std::string& lines, char sign, Value value)
{
    lines += sign;
    lines += "\t" + value.pointer() + "\t" + Tree(value).print_line() + "\n";
}

/// The members of an object that are there, by their names: looking each one up would take time by the square.
static std::vector<Value> sorted_members(Value object)
{
    std::vector<Value> members;
    members.reserve(object.size());
    for (Value member = object.first(); member; member = member.next())
        if (!member.is(Kind::null))
            members.push_back(member);
    std::sort(members.begin(), members.end(), [](Value one, Value other) { return one.key() < other.key(); });
    return members;
}

static void compare(std::string& lines, Value a, Value b)
{
    if (a.kind() != b.kind()) {
        add_line(lines, '-', a);
        add_line(lines, '+', b);
    } else if (a.is(Kind::object)) {
        std::vector<Value> of_a = sorted_members(a);
        std::vector<Value> of_b = sorted_members(b);
        for (auto one = of_a.begin(), other = of_b.begin(); one != of_a.end() || other != of_b.end();) {
            if (other == of_b.end() || (one != of_a.end() && one->key() < other->key()))
                add_line(lines, '-', *one++);
            else if (one == of_a.end() || other->key() < one->key())
                add_line(lines, '+', *other++);
            else
                compare(lines, *one++, *other++);
        }
    } else if (a.is(Kind::array)) {
        Value one = a.first();
        Value other = b.first();
        for (; one && other; one = one.next(), other = other.next())
            compare(lines, one, other);
        for (; one; one = one.next())
            add_line(lines, '-', one);
        for (; other; other = other.next())
            add_line(lines, '+', other);
    } else if (a.text() != b.text()) {
        add_line(lines, '-', a);
        add_line(lines, '+', b);
    }
}

std::string differences(Value a, Value b)
{
    std::string lines;
    compare(lines, a, b);
    return lines;
}
