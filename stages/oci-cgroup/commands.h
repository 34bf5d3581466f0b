// The verbs of oci-cgroup that have files of their own.
#pragma once

#include "cli/cli.h"

extern const Command stat_command;
extern const Command events_command;
extern const Command top_command;
extern const Command why_command;
extern const Command prepare_command;
