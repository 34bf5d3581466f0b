// The two forms of the report.
#include "report.h"

#include "json/json.h"

static std::string join(const std::vector<std::string>& words, const char* separator)
{
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : separator) + word;
    return text;
}

std::string report_text(const Probe& probe)
{
    std::string text = probe.works() ? "checkpoint and restore work here\n" : "checkpoint and restore do not work here\n";
    for (const Obstacle& obstacle : probe.obstacles)
        text += "  why: " + obstacle.reason + "\n  do:  " + obstacle.remedy + "\n";
    if (!probe.program.empty())
        text += "criu: " + probe.program + (probe.version.empty() ? "" : ", version " + probe.version) + "\n";
    text += "kernel: " + probe.kernel + "\n";
    for (const Feature& feature : probe.features)
        text += std::string(feature.name) + ": " + (feature.works ? "yes" : "no") + "\n";
    if (probe.missing_options.has_value() && !probe.missing_options->empty())
        text += "not in this kernel, needed for some processes: " + join(*probe.missing_options, " ") + "\n";
    // The first one has been said as the reason.
    for (size_t i = 1; i < probe.errors.size(); i++)
        text += "criu says too: " + probe.errors[i] + "\n";
    return text;
}

static std::string array_of(const std::vector<std::string>& strings)
{
    std::vector<std::string> quoted;
    quoted.reserve(strings.size());
    for (const std::string& string : strings)
        quoted.push_back(json::quote(string));
    return "[" + join(quoted, ",") + "]";
}

std::string report_json(const Probe& probe)
{
    std::vector<std::string> obstacles;
    obstacles.reserve(probe.obstacles.size());
    for (const Obstacle& obstacle : probe.obstacles)
        obstacles.push_back("{\"reason\":" + json::quote(obstacle.reason) + ",\"remedy\":" + json::quote(obstacle.remedy) + "}");
    std::vector<std::string> features;
    features.reserve(probe.features.size());
    for (const Feature& feature : probe.features)
        features.push_back(json::quote(feature.name) + (feature.works ? ":true" : ":false"));
    return std::string("{\"works\":") + (probe.works() ? "true" : "false") + ",\"program\":" + json::quote(probe.program) +
           ",\"version\":" + json::quote(probe.version) + ",\"kernel\":" + json::quote(probe.kernel) + ",\"obstacles\":[" +
           join(obstacles, ",") + "],\"errors\":" + array_of(probe.errors) + ",\"features\":{" + join(features, ",") +
           "},\"missingKernelOptions\":" + (probe.missing_options.has_value() ? array_of(*probe.missing_options) : "null") + "}\n";
}
