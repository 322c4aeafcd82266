#include "forecast/nelder_mead.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace warmfront::forecast {
namespace {

constexpr double kFirstStep = 0.2;      // of the box's width
constexpr double kSpreadEnough = 1e-5;  // costs of the simplex this alike, relatively: done

struct Vertex {
    std::vector<double> at;
    double cost = 0;
};

class Search {
public:
    Search(const std::vector<Bounded>& variables,
           const std::function<double(const std::vector<double>&)>& cost, std::size_t evaluations_max)
        : variables_(variables), cost_(cost), evaluations_left_(evaluations_max) {}

    std::vector<double> run() {
        start();
        while (evaluations_left_ > 0 && !settled()) step();
        return simplex_.front().at;
    }

private:
    Vertex evaluated(std::vector<double> at) {
        for (std::size_t i = 0; i < at.size(); ++i)
            at[i] = std::clamp(at[i], variables_[i].lo, variables_[i].hi);
        if (evaluations_left_ > 0) --evaluations_left_;
        const double cost = cost_(at);
        return {std::move(at), std::isnan(cost) ? std::numeric_limits<double>::infinity() : cost};
    }

    void start() {
        std::vector<double> at;
        for (const Bounded& variable : variables_) at.push_back(variable.start);
        simplex_.push_back(evaluated(at));
        for (std::size_t i = 0; i < variables_.size(); ++i) {
            std::vector<double> moved = at;
            const double step = kFirstStep * (variables_[i].hi - variables_[i].lo);
            moved[i] += moved[i] + step <= variables_[i].hi ? step : -step;
            simplex_.push_back(evaluated(std::move(moved)));
        }
        sort();
    }

    void sort() { std::ranges::stable_sort(simplex_, {}, &Vertex::cost); }
    [[nodiscard]] bool settled() const {
        const double best = simplex_.front().cost, worst = simplex_.back().cost;
        return worst - best <= kSpreadEnough * std::abs(best);
    }

    // centre + share * (worst - centre)
    [[nodiscard]] std::vector<double> along(double share) const {
        std::vector<double> at(variables_.size(), 0.0);
        for (std::size_t v = 0; v + 1 < simplex_.size(); ++v)
            for (std::size_t i = 0; i < at.size(); ++i) at[i] += simplex_[v].at[i];
        for (std::size_t i = 0; i < at.size(); ++i) {
            const double centre = at[i] / static_cast<double>(simplex_.size() - 1);
            at[i] = centre + share * (simplex_.back().at[i] - centre);
        }
        return at;
    }

    void step() {
        Vertex& worst = simplex_.back();
        Vertex reflected = evaluated(along(-1));
        if (reflected.cost < simplex_.front().cost) {
            Vertex further = evaluated(along(-2));
            worst = further.cost < reflected.cost ? std::move(further) : std::move(reflected);
        } else if (reflected.cost < simplex_[simplex_.size() - 2].cost) {
            worst = std::move(reflected);
        } else {
            Vertex nearer = evaluated(along(reflected.cost < worst.cost ? -0.5 : 0.5));
            if (nearer.cost < std::min(reflected.cost, worst.cost))
                worst = std::move(nearer);
            else
                shrink();
        }
        sort();
    }

    void shrink() {
        for (std::size_t v = 1; v < simplex_.size(); ++v) {
            std::vector<double> at = simplex_[v].at;
            for (std::size_t i = 0; i < at.size(); ++i) at[i] = (at[i] + simplex_.front().at[i]) / 2;
            simplex_[v] = evaluated(std::move(at));
        }
    }

    const std::vector<Bounded>& variables_;
    const std::function<double(const std::vector<double>&)>& cost_;
    std::size_t evaluations_left_;
    std::vector<Vertex> simplex_;  // best first
};

}  // namespace

std::vector<double> nelder_mead(const std::vector<Bounded>& variables,
                                const std::function<double(const std::vector<double>&)>& cost,
                                std::size_t evaluations_max) {
    return Search(variables, cost, evaluations_max).run();
}

}  // namespace warmfront::forecast
