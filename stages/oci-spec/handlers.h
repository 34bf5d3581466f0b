// The functions that the property table names. Each takes one property, or one object with what is in it.
#pragma once

#include "properties.h"

// Any section.
void plan_text(Planner& planner, Value value, Property property);      ///< the value as it is; an empty string is not there
void plan_as_is(Planner& planner, Value value, Property property);    ///< the value as it is
void plan_nonzero(Planner& planner, Value value, Property property);   ///< a number; zero leaves the kernel's default
void plan_limit(Planner& planner, Value value, Property property);     ///< a number; negative is unlimited, zero leaves the default
void plan_if_true(Planner& planner, Value value, Property property);
void plan_absolute_path(Planner& planner, Value value, Property property);

// The top level.
void plan_version(Planner& planner, Value value, Property property);
void plan_annotation(Planner& planner, Value value, Property property);
void plan_root(Planner& planner, Value value, Property property);
void plan_mount(Planner& planner, Value value, Property property);
void plan_host_name(Planner& planner, Value value, Property property);
void plan_hook(Planner& planner, Value value, Property property);
void plan_config(Planner& planner, Value value, Property property);

// process
void plan_process(Planner& planner, Value value, Property property);
void refuse_command_line(Planner& planner, Value value, Property property);
void plan_args(Planner& planner, Value value, Property property);
void check_variable(Planner& planner, Value value, Property property);
void plan_env(Planner& planner, Value value, Property property);
void check_capability(Planner& planner, Value value, Property property);
void plan_capabilities(Planner& planner, Value value, Property property);
void plan_rlimit(Planner& planner, Value value, Property property);
void plan_oom_score_adj(Planner& planner, Value value, Property property);
void plan_scheduler(Planner& planner, Value value, Property property);
void plan_io_priority(Planner& planner, Value value, Property property);
void plan_exec_cpu_affinity(Planner& planner, Value value, Property property);
void plan_umask(Planner& planner, Value value, Property property);
void plan_group(Planner& planner, Value value, Property property);

// linux
void plan_namespace(Planner& planner, Value value, Property property);
void plan_id_mappings(Planner& planner, Value value, Property property);
void plan_time_offset(Planner& planner, Value value, Property property);
void plan_device(Planner& planner, Value value, Property property);
void plan_sysctl(Planner& planner, Value value, Property property);
void plan_propagation(Planner& planner, Value value, Property property);
void refuse_personality_flags(Planner& planner, Value value, Property property);
void plan_mount_label(Planner& planner, Value value, Property property);
void plan_personality(Planner& planner, Value value, Property property);
void plan_rdt(Planner& planner, Value value, Property property);
void plan_closid(Planner& planner, Value value, Property property);
void plan_l3_schema(Planner& planner, Value value, Property property);
void plan_bandwidth_schema(Planner& planner, Value value, Property property);
void plan_schema(Planner& planner, Value value, Property property);
void plan_net_device(Planner& planner, Value value, Property property);
void plan_memory_policy(Planner& planner, Value value, Property property);

// linux.resources
void plan_cgroups_path(Planner& planner, Value value, Property property);
void plan_memory_amount(Planner& planner, Value value, Property property);
void plan_swappiness(Planner& planner, Value value, Property property);
void plan_idle(Planner& planner, Value value, Property property);
void plan_switched(Planner& planner, Value value, Property property);  ///< a number; zero turns it off, which a new cgroup is anyway
void plan_pids_limit(Planner& planner, Value value, Property property);
void plan_cpu_list(Planner& planner, Value value, Property property);
void plan_io_weight(Planner& planner, Value value, Property property);
void plan_weight_device(Planner& planner, Value value, Property property);
void plan_throttle(Planner& planner, Value value, Property property);
void plan_hugepage_limit(Planner& planner, Value value, Property property);
void plan_network_priority(Planner& planner, Value value, Property property);
void plan_rdma(Planner& planner, Value value, Property property);
void plan_unified(Planner& planner, Value value, Property property);
void plan_device_rule(Planner& planner, Value value, Property property);

// linux.seccomp
void plan_seccomp(Planner& planner, Value value, Property property);
void plan_seccomp_word(Planner& planner, Value value, Property property);
void plan_seccomp_rule(Planner& planner, Value value, Property property);
