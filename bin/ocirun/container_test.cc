// What a container's status is while others change it.
#include "container.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <unistd.h>

namespace {
/// A state root that is removed again.
struct TempRoot {
    std::string path;
    std::optional<StateRoot> root;
    TempRoot()
    {
        char name[] = "/tmp/ocirun-container-XXXXXX";
        path = ::mkdtemp(name);
        root = StateRoot::open(path, true).value();
    }
    ~TempRoot() { (void)!std::system(("rm -rf '" + path + "'").c_str()); }
};
}  // namespace

TEST_CASE("a container that was being made when it was looked up is never taken for a stopped one")
{
    TempRoot temporary;
    std::optional<ContainerState> maker = ContainerState::create(*temporary.root, "c", {{"boot", {read_boot_id().value()}}}).value();
    Container found = Container::find(*temporary.root, "c").value();

    // It is finished between the look at the journal and the question for the status.
    const pid_t pid = ::getpid();
    REQUIRE(maker->record({{"process", {std::to_string(pid), std::to_string(read_process_status(pid)->start_time)}}, {"created", {"now"}}}).has_value());
    maker.reset();

    CHECK(found.status().value() == Status::creating);
    CHECK(Container::find(*temporary.root, "c").value().status().value() == Status::running);
}

TEST_CASE("a container whose maker has died half-way is stopped")
{
    TempRoot temporary;
    CHECK(ContainerState::create(*temporary.root, "c", {{"boot", {read_boot_id().value()}}}).has_value());

    CHECK(Container::find(*temporary.root, "c").value().status().value() == Status::stopped);
}
