#include "tests/live/traps/trap.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include <yaml-cpp/yaml.h>

namespace warmfront::test {
namespace {

constexpr std::array<std::pair<std::string_view, TrapMode>, 5> kModes = {{{"same", TrapMode::Same},
                                                                          {"other", TrapMode::Other},
                                                                          {"commit", TrapMode::Commit},
                                                                          {"rollback", TrapMode::Rollback},
                                                                          {"steps", TrapMode::Steps}}};
constexpr std::array<std::pair<std::string_view, TrapStep::Who>, 4> kActors = {
    {{"both", TrapStep::Who::Both},
     {"reader", TrapStep::Who::Reader},
     {"other", TrapStep::Who::Other},
     {"direct", TrapStep::Who::Direct}}};

[[noreturn]] void refuse(const YAML::Node& node, const std::string& why) {
    throw std::runtime_error("line " + std::to_string(node.Mark().line + 1) + ": " + why);
}

void allow(const YAML::Node& node, std::initializer_list<std::string_view> keys) {
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::ranges::find(keys, key) == keys.end()) refuse(entry.first, "unknown: " + key);
    }
}

std::string text_of(const YAML::Node& node) {
    return node ? node.as<std::string>() : std::string();
}

// A scalar or a list as a list.
std::vector<YAML::Node> items(const YAML::Node& node) {
    if (!node) return {};
    if (!node.IsSequence()) return {node};
    return {node.begin(), node.end()};
}

bool is_number(std::string_view text) {
    const bool digit = text.find_first_of("0123456789") != std::string_view::npos;
    return digit && text.find_first_not_of("+-.0123456789e") == std::string_view::npos &&
           text.find('-', 1) == std::string_view::npos && text.find_first_of("+-.0123456789") == 0;
}

Value value_of(const YAML::Node& node) {
    if (node.IsNull()) return {};
    const auto text = node.as<std::string>();
    const bool plain = node.Tag() != "!";
    return {text, plain && (is_number(text) || text == "true" || text == "false")};
}

std::vector<Value> values_of(const YAML::Node& node) {
    std::vector<Value> values;
    for (const auto& item : items(node)) values.push_back(value_of(item));
    return values;
}

// One question for each set of parameters.
void add_questions(std::vector<Question>& questions, const YAML::Node& read, const YAML::Node& with,
                   bool hits) {
    if (read.IsMap()) {
        allow(read, {"sql", "with", "hits"});
        add_questions(questions, read["sql"], read["with"] ? read["with"] : with,
                      read["hits"] ? read["hits"].as<bool>() : hits);
        return;
    }
    const auto sql = read.as<std::string>();
    if (sql.find('$') == std::string::npos || !with) {
        questions.push_back({sql, {}, hits});
        return;
    }
    for (const auto& set : with) questions.push_back({sql, values_of(set), hits});
}

TrapStep step_of(const YAML::Node& node) {
    if (!node.IsMap()) return {.question = {node.as<std::string>()}};
    allow(node, {"sql", "with", "error", "copy", "data", "both", "reader", "other", "direct"});
    TrapStep step;
    step.question.sql = text_of(node["sql"]) + text_of(node["copy"]);
    for (const auto& [word, who] : kActors) {
        if (!node[std::string(word)]) continue;
        step.who = who;
        step.question.sql += text_of(node[std::string(word)]);
    }
    if (step.question.sql.empty()) refuse(node, "a step without SQL");
    step.question.values = values_of(node["with"]);
    step.error = text_of(node["error"]);
    if (node["data"]) step.copy_data = text_of(node["data"]);
    return step;
}

TrapMode mode_of(const YAML::Node& node) {
    for (const auto& [word, mode] : kModes)
        if (word == node.as<std::string>()) return mode;
    refuse(node, "not a mode");
}

std::vector<TrapMode> modes_of(const YAML::Node& node, const Trap& trap) {
    const auto writes = [](const TrapStep& step) { return step.who == TrapStep::Who::Writer; };
    if (!std::ranges::all_of(trap.steps, writes)) return {TrapMode::Steps};
    std::vector<TrapMode> modes;
    for (const auto& mode : items(node["modes"])) modes.push_back(mode_of(mode));
    if (modes.empty()) modes = {TrapMode::Same, TrapMode::Other, TrapMode::Commit, TrapMode::Rollback};
    if (trap.reader != trap.writer) std::erase(modes, TrapMode::Same);
    return modes;
}

Trap trap_of(const YAML::Node& node, const std::string& setup) {
    allow(node, {"trap", "setup", "read", "with", "write", "hits", "modes", "session", "reader", "writer",
                 "own", "temporary"});
    if (!node["trap"] || !node["read"] || !node["write"]) refuse(node, "expected trap, read and write");
    Trap trap;
    trap.name = text_of(node["trap"]);
    trap.setup = setup + text_of(node["setup"]);
    const bool hits = !node["hits"] || node["hits"].as<bool>();
    for (const auto& read : items(node["read"])) add_questions(trap.reads, read, node["with"], hits);
    for (const auto& step : items(node["write"])) trap.steps.push_back(step_of(step));
    for (const auto& statement : items(node["session"])) trap.session.push_back(statement.as<std::string>());
    if (node["reader"]) trap.reader = text_of(node["reader"]);
    if (node["writer"]) trap.writer = text_of(node["writer"]);
    if (node["own"]) trap.own = node["own"].as<bool>();
    trap.temporary = node["temporary"] && node["temporary"].as<bool>();
    trap.modes = modes_of(node, trap);
    return trap;
}

std::string literal(const Value& value) {
    if (!value.text) return "NULL";
    if (value.bare) return *value.text;
    std::string quoted = "'";
    for (const char byte : *value.text) quoted.append(byte == '\'' ? 2 : 1, byte);
    return quoted + "'";
}

}  // namespace

std::string_view name_of(TrapMode mode) {
    for (const auto& [word, known] : kModes)
        if (known == mode) return word;
    return {};
}

TrapGroup load_traps(const std::string& file) {
    try {
        const auto root = YAML::LoadFile(file);
        allow(root, {"group", "once", "setup", "traps"});
        TrapGroup group{text_of(root["group"]), text_of(root["once"]), {}};
        auto setup = text_of(root["setup"]);
        if (!setup.empty()) setup += ";\n";
        for (const auto& trap : root["traps"]) group.traps.push_back(trap_of(trap, setup));
        return group;
    } catch (const std::exception& wrong) {
        throw std::runtime_error(file + ": " + wrong.what());
    }
}

std::string with_literals(const Question& question) {
    std::string sql = question.sql;
    for (std::size_t i = question.values.size(); i > 0; --i) {
        const std::string name = "$" + std::to_string(i);
        const std::string text = literal(question.values[i - 1]);
        for (auto at = sql.find(name); at != std::string::npos; at = sql.find(name, at + text.size()))
            sql.replace(at, name.size(), text);
    }
    return sql;
}

bool has_semicolon(std::string_view sql) {
    return sql.find(';') != std::string_view::npos;
}

}  // namespace warmfront::test
