// Lists of id mappings, as config.json has them.
#pragma once

#include "json.h"

#include <optional>
#include <vector>

class Planner;

/// Which ids of the container are which of the host.
class IdMap {
public:
    /// What is no mapping is passed over.
    explicit IdMap(Value mappings);

    /// The host's id for an id of the container whose next `size - 1` ids are mapped in one range with it.
    std::optional<uint64_t> host_id(uint64_t id, uint64_t size = 1) const;

private:
    struct Range {
        uint64_t first;
        uint64_t host;
        uint64_t size;
    };
    std::vector<Range> ranges_;  ///< sorted
};

/// Whether the entries of a list of id mappings are such that the kernel takes them; else problems.
bool check_id_mappings(Planner& planner, Value value);
