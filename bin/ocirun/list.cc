// ocirun list.
#include "commands.h"

#include "container.h"
#include "context.h"
#include "json/json.h"

static constexpr Option list_options[] = {
    {"format", 'f', "FORMAT", "table (default) or json"},
    {"quiet", 'q', "", "print only the ids"},
};

namespace {
struct Row {
    std::string id;
    std::string pid;
    std::string status;
    std::string bundle;
    std::string created;
    std::string owner;
    std::string json;
};
}  // namespace

/// A container that cannot be read is a row of its own, never the end of the list.
static Row row_of(const StateRoot& root, const std::string& id)
{
    Result<Container> found = Container::find(root, id);
    Result<Status> status = found.has_value() ? found.value().status() : Result<Status>(found.error());
    if (!status.has_value()) {
        std::string words = "error: " + status.error().message();
        return {id, "0", words, "", "", "", "{\"id\":" + json::quote(id) + ",\"status\":\"unknown\",\"error\":" + json::quote(words) + "}"};
    }
    const Container& container = found.value();
    pid_t pid = status.value() == Status::stopped ? 0 : container.init.pid;
    StateFacts facts{id, status_word(status.value()), pid, container.bundle, container.created, user_name(container.state.owner())};
    Result<Plan> plan = container.plan();
    return {id, std::to_string(pid), facts.status + (container.stale ? " (stale: other boot)" : ""), facts.bundle, facts.created, facts.owner,
            state_json(facts, plan.has_value() ? &plan.value() : nullptr, "")};
}

static std::string table(const std::vector<Row>& rows)
{
    static constexpr std::string Row::* columns[] = {&Row::id, &Row::pid, &Row::status, &Row::bundle, &Row::created, &Row::owner};
    std::vector<Row> lines{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER", ""}};
    lines.insert(lines.end(), rows.begin(), rows.end());
    std::string text;
    for (const Row& line : lines) {
        for (std::string Row::* column : columns) {
            text += line.*column;
            if (column == &Row::owner)
                break;
            size_t width = 12;
            for (const Row& other : lines)
                width = std::max(width, (other.*column).size() + 1);
            text.append(width - (line.*column).size(), ' ');
        }
        text += '\n';
    }
    return text;
}

static Result<int> list(const Arguments& global, const Arguments& arguments)
{
    Context context = TRY(Context::from(global));
    std::string format = arguments.value("format", "table");
    if (format != "table" && format != "json")
        return Error{"--format '" + format + "': expected table or json"};
    std::optional<StateRoot> root = TRY(context.find_root());
    if (!root && context.root_was_given)
        return Error{"the state root '" + context.root_path + "' does not exist"};
    std::vector<std::string> ids;
    if (root)
        ids = TRY(root->ids());
    std::string text;
    if (arguments.has("quiet")) {
        for (const std::string& id : ids)
            text += id + "\n";
    } else {
        std::vector<Row> rows;
        for (const std::string& id : ids)
            rows.push_back(row_of(*root, id));
        if (format == "table") {
            text = table(rows);
        } else {
            text = "[";
            for (const Row& row : rows)
                text += (text.size() > 1 ? "," : "") + row.json;
            text += "]\n";
        }
    }
    TRY(write_all(STDOUT_FILENO, text));
    return exit_done;
}

constexpr Command list_command{"list", "", "list the containers of the state root", list_options, OptionOrder::anywhere, 0, 0, list};
