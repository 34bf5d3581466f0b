// One function per command of ocirun; each has its file.
#pragma once

#include "cli/cli.h"

extern const Command create_command;
extern const Command run_command;
extern const Command start_command;
extern const Command exec_command;
extern const Command kill_command;
extern const Command delete_command;
extern const Command state_command;
extern const Command list_command;
extern const Command spec_command;
extern const Command pause_command;
extern const Command resume_command;
extern const Command ps_command;
extern const Command features_command;
extern const Command events_command;
extern const Command top_command;
extern const Command update_command;
