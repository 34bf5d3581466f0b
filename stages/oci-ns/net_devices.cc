// rtnetlink(7), a request and its answer at a time.
#include "net_devices.h"

#include "fd/fd.h"
#include "interface_name/interface_name.h"
#include "stage/stage.h"

#include <cstring>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

Result<NetDevice> parse_net_device(std::string_view text)
{
    size_t equals = text.find('=');
    NetDevice device;
    device.interface = text.substr(0, equals);
    device.name = equals == std::string_view::npos ? device.interface : std::string(text.substr(equals + 1));
    TRY(check_net_device(device));
    return device;
}

Result<void> check_net_device(const NetDevice& device)
{
    if (!is_interface_name(device.interface))
        return Error{"'" + device.interface + "' is not the name of a network interface"};
    if (!is_interface_name_or_template(device.name))
        return Error{"'" + device.name + "' is not the name of a network interface, which may end in '%d'"};
    return {};
}

namespace
{

/// A message under construction: header, a fixed part, attributes (man 7 netlink).
class Message
{
public:
    template <typename Fixed>
    Message(uint16_t type, uint16_t flags, const Fixed& fixed)
    {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = flags;
        append(&header, sizeof header);
        append(&fixed, sizeof fixed);
    }
    void add(uint16_t type, const void* value, size_t size)
    {
        rtattr attribute{static_cast<uint16_t>(RTA_LENGTH(size)), type};
        append(&attribute, sizeof attribute);
        append(value, size);
    }
    void add(uint16_t type, const std::string& text) { add(type, text.c_str(), text.size() + 1); }
    void add(uint16_t type, uint32_t number) { add(type, &number, sizeof number); }

    const std::string& finish()
    {
        uint32_t size = static_cast<uint32_t>(bytes_.size());
        std::memcpy(bytes_.data(), &size, sizeof size);
        return bytes_;
    }

private:
    /// Everything begins at a multiple of four.
    void append(const void* data, size_t size)
    {
        bytes_.append(static_cast<const char*>(data), size);
        bytes_.append(NLMSG_ALIGN(size) - size, '\0');
    }
    std::string bytes_;
};

/// An address as the kernel described it: what is needed to have it again.
struct Address {
    ifaddrmsg fixed;
    std::vector<std::pair<uint16_t, std::string>> attributes;
};

/// One network namespace, by sockets that were made in it.
class NetworkNamespace
{
public:
    /// The one that this process is in.
    static Result<NetworkNamespace> own()
    {
        UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        if (!fd)
            return errno_error("cannot open '/proc/thread-self/ns/net'");
        return with_sockets(std::move(fd));
    }
    /// Another one, which is entered for a moment.
    static Result<NetworkNamespace> at(int fd)
    {
        UniqueFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
        if (!home || !copy)
            return errno_error("cannot open '/proc/thread-self/ns/net'");
        if (::setns(fd, CLONE_NEWNET) < 0)
            return errno_error("cannot enter the network namespace for which network devices are meant");
        Result<NetworkNamespace> made = with_sockets(std::move(copy));
        if (::setns(home.get(), CLONE_NEWNET) < 0)
            return errno_error("cannot return to the own network namespace");
        return made;
    }

    int fd() const { return fd_.get(); }

    /// 0: there is none of that name.
    int index_of(const std::string& name) const
    {
        ifreq request{};
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        return ::ioctl(socket_.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
    }
    bool is_up(const std::string& name) const
    {
        ifreq request{};
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        return ::ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
    }

    /// The permanent ones of global scope: what was meant to stay. The others are the kernel's to make anew.
    Result<std::vector<Address>> addresses_of(int index)
    {
        ifaddrmsg any{};
        Message message(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, any);
        std::vector<Address> addresses;
        TRY(exchange(message, [&](const nlmsghdr* header) {
            if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof(ifaddrmsg)))
                return;
            Address address{};
            std::memcpy(&address.fixed, NLMSG_DATA(header), sizeof address.fixed);
            const char* attributes = static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(ifaddrmsg));
            size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(ifaddrmsg));
            uint32_t flags = address.fixed.ifa_flags;
            while (left >= sizeof(rtattr)) {
                rtattr attribute;
                std::memcpy(&attribute, attributes, sizeof attribute);
                if (attribute.rta_len < sizeof attribute || attribute.rta_len > left)
                    break;
                std::string value(attributes + sizeof attribute, attribute.rta_len - sizeof attribute);
                if (attribute.rta_type == IFA_FLAGS && value.size() == sizeof flags)
                    std::memcpy(&flags, value.data(), sizeof flags);
                else
                    address.attributes.emplace_back(attribute.rta_type, std::move(value));
                size_t step = std::min<size_t>(left, RTA_ALIGN(attribute.rta_len));
                attributes += step;
                left -= step;
            }
            if (address.fixed.ifa_index != static_cast<unsigned>(index) ||
                address.fixed.ifa_scope != RT_SCOPE_UNIVERSE || (flags & IFA_F_PERMANENT) == 0)
                return;
            // What is asked for, not what has become of it.
            flags &= IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_MANAGETEMPADDR;
            address.fixed.ifa_flags = static_cast<uint8_t>(flags);
            address.attributes.emplace_back(IFA_FLAGS,
                                            std::string(reinterpret_cast<const char*>(&flags), sizeof flags));
            addresses.push_back(std::move(address));
        }));
        return addresses;
    }

    Result<void> add_address(int index, const std::string& name, const Address& address)
    {
        ifaddrmsg fixed = address.fixed;
        fixed.ifa_index = static_cast<unsigned>(index);
        Message message(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, fixed);
        for (const auto& [type, value] : address.attributes) {
            if (type == IFA_LABEL)
                message.add(IFA_LABEL, name);
            else if (type != IFA_CACHEINFO && type != IFA_TARGET_NETNSID)
                message.add(type, value.data(), value.size());
        }
        Result<void> added = exchange(message, [](const nlmsghdr*) {});
        if (!added.has_value() && added.error().error_number == EEXIST)
            return {};
        return added;
    }

    /// Gives the interface to another namespace.
    Result<void> give(int index, const NetworkNamespace& other, const std::string& name)
    {
        ifinfomsg fixed{};
        fixed.ifi_index = index;
        Message message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, fixed);
        message.add(IFLA_NET_NS_FD, static_cast<uint32_t>(other.fd()));
        message.add(IFLA_IFNAME, name);
        return exchange(message, [](const nlmsghdr*) {});
    }

    Result<void> bring_up(int index)
    {
        ifinfomsg fixed{};
        fixed.ifi_index = index;
        fixed.ifi_flags = IFF_UP;
        fixed.ifi_change = IFF_UP;
        Message message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, fixed);
        return exchange(message, [](const nlmsghdr*) {});
    }

private:
    static Result<NetworkNamespace> with_sockets(UniqueFd fd)
    {
        NetworkNamespace made;
        made.fd_ = std::move(fd);
        made.netlink_ = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
        made.socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!made.netlink_ || !made.socket_)
            return errno_error("cannot make a socket of the network namespace");
        return made;
    }

    /// Sends a request and hands its answers to `use` until the last.
    template <typename Use>
    Result<void> exchange(Message& message, Use use)
    {
        const std::string& bytes = message.finish();
        if (::send(netlink_.get(), bytes.data(), bytes.size(), 0) < 0)
            return errno_error("netlink");
        alignas(nlmsghdr) char buffer[32768];
        for (;;) {
            ssize_t size = ::recv(netlink_.get(), buffer, sizeof buffer, 0);
            if (size < 0 && errno == EINTR)
                continue;
            if (size < 0)
                return errno_error("netlink");
            size_t left = static_cast<size_t>(size);
            for (const nlmsghdr* header = reinterpret_cast<const nlmsghdr*>(buffer); NLMSG_OK(header, left);
                 header = NLMSG_NEXT(header, left)) {
                if (header->nlmsg_type == NLMSG_DONE)
                    return {};
                if (header->nlmsg_type == NLMSG_ERROR) {
                    int problem = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
                    return problem == 0 ? Result<void>() : Error{"netlink", problem};
                }
                use(header);
            }
        }
    }

    UniqueFd fd_;
    UniqueFd netlink_;
    UniqueFd socket_;
};

/// What is to be undone.
struct Moved {
    std::string interface;
    std::string name;
    bool was_up;
};

} // namespace

/// One interface, with its addresses. `comes_up`: it is to be up there.
static Result<void> move(NetworkNamespace& from, NetworkNamespace& to, const std::string& interface,
                         const std::string& name, bool comes_up)
{
    const int index = from.index_of(interface);
    std::vector<Address> addresses = TRY(from.addresses_of(index));
    TRY(from.give(index, to, name));
    const int new_index = to.index_of(name);
    if (new_index == 0)
        return Error{"it is not there after it has been moved"};
    for (const Address& address : addresses)
        TRY(to.add_address(new_index, name, address).with_context("its addresses"));
    if (comes_up)
        TRY(to.bring_up(new_index).with_context("bringing it up"));
    return {};
}

/// The name that it gets: a template's first number that is free.
static Result<std::string> free_name(const NetworkNamespace& target, const NetDevice& device)
{
    if (!device.name.ends_with("%d")) {
        if (target.index_of(device.name) != 0)
            return Error{"the network namespace has an interface '" + device.name +
                             "' already; a name that ends in '%d' gets a number",
                         EEXIST};
        return device.name;
    }
    const std::string prefix = device.name.substr(0, device.name.size() - 2);
    for (unsigned number = 0; number < 100'000; number++) {
        std::string name = prefix + std::to_string(number);
        if (name.size() >= IFNAMSIZ)
            break;
        if (target.index_of(name) == 0)
            return name;
    }
    return Error{"no number is free for '" + device.name + "'", EEXIST};
}

static Result<void> move_one(NetworkNamespace& home, NetworkNamespace& target, const NetDevice& device,
                             std::vector<Moved>& moved)
{
    const std::string what = "cannot move the network device '" + device.interface + "'";
    stage::step("move the network device " + device.interface);
    if (home.index_of(device.interface) == 0)
        return Error{what + ": there is none of that name", ENODEV};
    std::string name = TRY(free_name(target, device).with_context(what));
    moved.push_back({device.interface, name, home.is_up(device.interface)});
    Result<void> done = move(home, target, device.interface, name, true);
    if (!done.has_value() && done.error().error_number == EPERM)
        return Error{what + ": it needs CAP_NET_ADMIN in both network namespaces", EPERM};
    return std::move(done).with_context(what);
}

Result<void> move_net_devices(const std::vector<NetDevice>& devices, int target_fd)
{
    if (devices.empty())
        return {};
    NetworkNamespace home = TRY(NetworkNamespace::own());
    NetworkNamespace target = TRY(NetworkNamespace::at(target_fd).with_pointer(devices.front().pointer));
    std::vector<Moved> moved;
    for (const NetDevice& device : devices) {
        Result<void> done = move_one(home, target, device, moved);
        if (done.has_value())
            continue;
        for (; !moved.empty(); moved.pop_back()) {
            const Moved& last = moved.back();
            // A failure may have come before the move, or between the move and its new name.
            if (home.index_of(last.interface) != 0)
                continue;
            const std::string& name = target.index_of(last.name) != 0 ? last.name : last.interface;
            (void)move(target, home, name, last.interface, last.was_up);
        }
        return std::move(done).with_pointer(device.pointer);
    }
    return {};
}
