// The kernel's rule.
#include "interface_name/interface_name.h"

#include <net/if.h>

bool is_interface_name(std::string_view name)
{
    if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..")
        return false;
    for (char c : name)
        if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == ':' || c == '%' || c == 0x7f)
            return false;
    return true;
}

bool is_interface_name_or_template(std::string_view name)
{
    if (!name.ends_with("%d"))
        return is_interface_name(name);
    name.remove_suffix(2);
    // The number has a digit at least, and the template is as long as a name may be at most.
    return name.empty() || (name.size() < IFNAMSIZ - 2 && is_interface_name(name));
}
