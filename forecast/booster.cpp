#include "forecast/booster.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <xgboost/c_api.h>

namespace warmfront::forecast {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

struct MatrixFree {
    void operator()(void* handle) const { XGDMatrixFree(handle); }
};
using Matrix = std::unique_ptr<void, MatrixFree>;

tl::unexpected<Error> xgboost_failed(std::string_view doing) {
    return fail("XX000", fmt::format("XGBoost, {}: {}", doing, XGBGetLastError()));
}

Result<Matrix> make_matrix(const Rows& rows) {
    DMatrixHandle raw = nullptr;
    if (XGDMatrixCreateFromMat_omp(rows.inputs.data(), rows.size(), rows.columns, kMissing, &raw, 1) != 0)
        return xgboost_failed("reading rows");
    Matrix matrix(raw);
    if (rows.targets.size() == rows.size() &&
        XGDMatrixSetFloatInfo(raw, "label", rows.targets.data(), rows.targets.size()) != 0)
        return xgboost_failed("reading targets");
    if (rows.weights.size() == rows.size() &&
        XGDMatrixSetFloatInfo(raw, "weight", rows.weights.data(), rows.weights.size()) != 0)
        return xgboost_failed("reading weights");
    return matrix;
}

std::vector<std::pair<const char*, std::string>> parameters(const Booster::Options& options) {
    using Kind = Booster::Kind;
    const bool forest = options.kind == Kind::Forest, tree = options.kind == Kind::Tree;
    return {{"objective", "reg:squarederror"},
            {"eval_metric", "mae"},
            {"tree_method", "hist"},
            {"verbosity", "0"},
            {"nthread", "1"},
            {"base_score", "0"},
            {"max_bin", std::to_string(options.bins)},
            {"max_depth", std::to_string(options.depth)},
            {"min_child_weight", fmt::format("{}", options.rows_min)},
            {"learning_rate", fmt::format("{}", forest || tree ? 1.0 : options.learning_rate)},
            {"lambda", forest || tree ? "0" : "1"},
            {"subsample", fmt::format("{}", tree ? 1.0 : options.row_share)},
            {forest ? "colsample_bynode" : "colsample_bytree",
             fmt::format("{}", tree ? 1.0 : options.column_share)},
            {"num_parallel_tree", std::to_string(forest ? options.rounds_max : 1)},
            // Below 2^31 for XGBoost's sake.
            {"seed", std::to_string(options.seed & 0x7fffffffU)}};
}

// "[7]\tvalidation-mae:0.123"
double error_in(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::numeric_limits<double>::quiet_NaN();
    return std::strtod(std::string(text.substr(colon + 1)).c_str(), nullptr);
}

// Of predicting 0 throughout: what trees have to better.
double error_of_nothing(const Rows& rows) {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double weight = rows.weights.empty() ? 1.0 : static_cast<double>(rows.weights[i]);
        sum += weight * std::abs(static_cast<double>(rows.targets[i]));
        weights += weight;
    }
    return weights > 0 ? sum / weights : std::numeric_limits<double>::infinity();
}

Result<double> validation_error(BoosterHandle handle, int round, DMatrixHandle matrix) {
    const char* name = "validation";
    const char* text = nullptr;
    if (XGBoosterEvalOneIter(handle, round, &matrix, &name, 1, &text) != 0)
        return xgboost_failed("validation");
    return error_in(text);
}

}  // namespace

float* Rows::add(float target, float weight) {
    targets.push_back(target);
    weights.push_back(weight);
    inputs.resize(inputs.size() + columns);
    return inputs.data() + inputs.size() - columns;
}

void Booster::Free::operator()(void* handle) const {
    XGBoosterFree(handle);
}

Result<Booster> Booster::train(const Rows& train, const Rows& validation, const Options& options,
                               const StopCheck& stop) {
    if (train.size() == 0) return fail("22023", "trees: nothing to learn from");
    auto matrix = make_matrix(train);
    if (!matrix) return tl::unexpected(matrix.error());
    Matrix held_out;
    if (validation.size() > 0) {
        auto made = make_matrix(validation);
        if (!made) return tl::unexpected(made.error());
        held_out = *std::move(made);
    }
    BoosterHandle raw = nullptr;
    const DMatrixHandle known[] = {matrix->get(), held_out.get()};
    if (XGBoosterCreate(known, held_out ? 2 : 1, &raw) != 0) return xgboost_failed("starting");
    Booster booster;
    booster.handle_.reset(raw);
    for (const auto& [name, value] : parameters(options))
        if (XGBoosterSetParam(raw, name, value.c_str()) != 0) return xgboost_failed(name);

    const std::size_t rounds = options.kind == Kind::Boosted ? options.rounds_max : 1;
    double best = error_of_nothing(validation);
    for (std::size_t round = 0; round < rounds; ++round) {
        if (stop && stop()) return fail("57014", "the growing of trees was stopped");
        if (XGBoosterUpdateOneIter(raw, static_cast<int>(round), matrix->get()) != 0)
            return xgboost_failed("growing trees");
        booster.rounds_made_ = round + 1;
        if (!held_out) {
            booster.rounds_ = round + 1;
            continue;
        }
        const auto error = validation_error(raw, static_cast<int>(round), held_out.get());
        if (!error) return tl::unexpected(error.error());
        if (*error < best) {
            best = *error;
            booster.rounds_ = round + 1;
        }
        if (round + 1 >= booster.rounds_ + options.patience) break;
    }
    return booster;
}

Result<std::vector<float>> Booster::predict(const Rows& rows) const {
    if (rows.size() == 0 || rounds_ == 0) return std::vector<float>(rows.size());
    const auto matrix = make_matrix(rows);
    if (!matrix) return tl::unexpected(matrix.error());
    const std::string config = fmt::format(
        R"({{"type":0,"training":false,"iteration_begin":0,"iteration_end":{},"strict_shape":false}})",
        rounds_);
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* predicted = nullptr;
    if (XGBoosterPredictFromDMatrix(handle_.get(), matrix->get(), config.c_str(), &shape, &dimensions,
                                    &predicted) != 0)
        return xgboost_failed("predicting");
    return std::vector<float>(predicted, predicted + rows.size());
}

}  // namespace warmfront::forecast
