// Writing numbers as JSON or as lines.
#include "document.h"

#include "json/json.h"

void Document::open_json(char bracket)
{
    if (form_ == Form::json)
        out_ += bracket;
    brackets_ += bracket == '{' ? '}' : ']';
    first_ = true;
}

void Document::begin(std::string_view key)
{
    if (form_ != Form::json)
        return;
    if (!first_)
        out_ += ',';
    first_ = false;
    if (!brackets_.empty() && brackets_.back() == '}') {
        out_ += json::quote(key);
        out_ += ':';
    }
}

void Document::open(std::string_view key)
{
    begin(key);
    open_json('{');
    path_.emplace_back(key);
}

void Document::open_array(std::string_view key)
{
    begin(key);
    open_json('[');
    path_.emplace_back(key);
}

void Document::open_element(std::string_view label) { open(label); }

void Document::close()
{
    if (form_ == Form::json)
        out_ += brackets_.back();
    brackets_.pop_back();
    if (!path_.empty())
        path_.pop_back();
    first_ = false;
}

void Document::value_of(std::string_view key, std::string_view value)
{
    begin(key);
    if (form_ == Form::json) {
        out_ += value;
        return;
    }
    for (const std::string& above : path_)
        out_ += above + ".";
    out_ += key;
    out_ += ' ';
    out_ += value;
    out_ += '\n';
}

void Document::number(std::string_view key, uint64_t value)
{
    value_of(key, form_ == Form::lines && value == UINT64_MAX ? "max" : std::to_string(value));
}

void Document::number(std::string_view key, int64_t value) { value_of(key, std::to_string(value)); }

void Document::literal(std::string_view key, std::string_view value) { value_of(key, value); }

void Document::text(std::string_view key, std::string_view value) { value_of(key, form_ == Form::json ? json::quote(value) : std::string(value)); }

std::string Document::finish() &&
{
    while (!brackets_.empty())
        close();
    return std::move(out_);
}
