// A container's journal: what is added to it by all programs that make something, and read by those that undo it.
#pragma once

#include "result/result.h"

#include <string>
#include <string_view>
#include <vector>

/// A fact about the container, or one thing to undo: the journal's line `what TAB field...`.
struct JournalEntry {
    std::string what;
    std::vector<std::string> fields;
};

/// Appends to the journal at `fd` (-1: there is none, and nothing is written), which is open for reading and appending. One
/// write: whole lines, also when another program writes at the same time. Where a full disk has cut the last line short, that
/// one is ended first, as a line that does not count: its deed has not begun.
Result<void> append_to_journal(int fd, const std::vector<JournalEntry>& entries);

/// The entries in the journal's text. A line that was cut short is none; one that cannot be read is an entry `damaged`.
std::vector<JournalEntry> parse_journal(std::string_view text);
