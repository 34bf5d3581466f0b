# What the tests of systemd's units share.

property_of() { systemctl show --property "$2" --value "$1"; }
is_known() { [[ $(systemctl list-units --all --plain --no-legend "$1") != "" ]]; }
is_unknown() { ! is_known "$1"; }
