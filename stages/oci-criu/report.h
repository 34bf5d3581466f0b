// The report of `oci-criu check`.
#pragma once

#include "probe.h"

/// For people: the answer, why, and what to do.
std::string report_text(const Probe& probe);

/// For programs: one JSON object, as oci-criu(8) describes it.
std::string report_json(const Probe& probe);
