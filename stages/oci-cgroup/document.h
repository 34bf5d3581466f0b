// A document of numbers, written in one go: as JSON for programs, as lines for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Writes keys and values in the order of the calls. As lines each value is `key.key.key VALUE`; an element of
/// an array has its label for a key there.
class Document {
public:
    enum class Form { json, lines };
    explicit Document(Form form) : form_(form) { open_json('{'); }

    void open(std::string_view key);
    void open_array(std::string_view key);
    /// An object in an array.
    void open_element(std::string_view label);
    void close();

    void number(std::string_view key, uint64_t value);
    void number(std::string_view key, int64_t value);
    /// A number as somebody else has written it.
    void literal(std::string_view key, std::string_view value);
    void text(std::string_view key, std::string_view value);
    template <typename Numbers>
    void numbers(std::string_view key, const Numbers& values)
    {
        std::string list;
        for (auto value : values)
            list += (list.empty() ? "" : form_ == Form::json ? "," : " ") + std::to_string(value);
        value_of(key, form_ == Form::json ? "[" + list + "]" : list);
    }

    Form form() const { return form_; }
    std::string finish() &&;

private:
    void open_json(char bracket);
    void begin(std::string_view key);
    void value_of(std::string_view key, std::string_view value);

    Form form_;
    std::string out_;
    std::string brackets_;           ///< closing ones that are due
    std::vector<std::string> path_;  ///< as lines: the keys above
    bool first_ = true;
};
