#include "forecast/plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "forecast/series_csv.h"

namespace warmfront::forecast {
namespace {

constexpr double kWidth = 960, kHeight = 400, kLeft = 70, kRight = 20, kTop = 40, kBottom = 50;
constexpr std::size_t kTicks = 5;

// From bucket (0: the first drawn) and load to the picture's points.
struct Canvas {
    double buckets = 1, load_max = 1;
    [[nodiscard]] double x(double bucket) const {
        return kLeft + (kWidth - kLeft - kRight) * bucket / std::max(1.0, buckets - 1);
    }
    [[nodiscard]] double y(double load) const {
        return kHeight - kBottom - (kHeight - kTop - kBottom) * load / load_max;
    }
};

// The path of values from bucket `from` on; a gap begins a new stroke.
std::string path_of(const Canvas& canvas, const std::vector<double>& values, std::size_t from) {
    std::string path;
    bool drawing = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) {
            drawing = false;
            continue;
        }
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", drawing ? "L" : "M",
                       canvas.x(static_cast<double>(from + i)), canvas.y(values[i]));
        drawing = true;
    }
    return path;
}

std::string line(const Canvas& canvas, const std::vector<double>& values, std::size_t from,
                 std::string_view colour) {
    return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"/>\n",
                       path_of(canvas, values, from), colour);
}

std::string band(const Canvas& canvas, const Forecast& forecast, std::size_t from) {
    std::string points;
    const auto add = [&](std::size_t step, double load) {
        fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ",
                       canvas.x(static_cast<double>(from + step)), canvas.y(load));
    };
    for (std::size_t step = 0; step < forecast.hi95.size(); ++step) add(step, forecast.hi95[step]);
    for (std::size_t step = forecast.lo95.size(); step-- > 0;) add(step, forecast.lo95[step]);
    return fmt::format("<polygon points=\"{}\" fill=\"#1f77b4\" fill-opacity=\"0.18\"/>\n", points);
}

std::string text(double x, double y, std::string_view anchor, std::string_view words) {
    std::string escaped;
    for (const char c : words)
        if (c == '<')
            escaped += "&lt;";
        else if (c == '&')
            escaped += "&amp;";
        else
            escaped += c;
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                       escaped);
}

std::string axes(const Canvas& canvas, const Series& drawn) {
    std::string svg;
    for (std::size_t tick = 0; tick <= kTicks; ++tick) {
        const double share = static_cast<double>(tick) / kTicks;
        const double load = share * canvas.load_max, bucket = std::floor(share * (canvas.buckets - 1));
        svg += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#ddd\"/>\n", kLeft, canvas.y(load),
                           kWidth - kRight);
        svg += text(kLeft - 6, canvas.y(load) + 4, "end", fmt::format("{:.4g}", load));
        svg += text(canvas.x(bucket), kHeight - kBottom + 18,
                    tick == 0        ? "start"
                    : tick == kTicks ? "end"
                                     : "middle",
                    format_time(drawn.time_of(static_cast<std::size_t>(bucket))).substr(0, 16));
    }
    return svg;
}

std::string legend(bool with_actual) {
    std::string svg;
    double x = kLeft;
    const auto entry = [&](std::string_view colour, std::string_view words) {
        svg += fmt::format("<path d=\"M{:.1f} {:.1f}h18\" stroke=\"{}\" stroke-width=\"3\"/>\n", x,
                           kHeight - 12, colour);
        svg += text(x + 24, kHeight - 8, "start", words);
        x += 150;
    };
    entry("#444", "history");
    entry("#1f77b4", "forecast");
    entry("#c6dcec", "95 % interval");
    if (with_actual) entry("#d62728", "what came");
    return svg;
}

double largest(const std::vector<double>& values, double so_far) {
    for (const double value : values)
        if (value > so_far) so_far = value;
    return so_far;
}

}  // namespace

std::string plot_svg(const Series& history, const Forecast& forecast, const std::vector<double>& actual,
                     const std::string& title, std::size_t history_max) {
    const std::size_t shown = std::min(history.size(), history_max);
    Series drawn = history;
    drawn.start_s = history.time_of(history.size() - shown);
    drawn.values.assign(history.values.end() - static_cast<std::ptrdiff_t>(shown), history.values.end());
    Canvas canvas;
    canvas.buckets = static_cast<double>(shown + forecast.point.size());
    const double load_max = largest(forecast.hi95, largest(actual, largest(drawn.values, 0)));
    canvas.load_max = load_max > 0 ? 1.05 * load_max : 1;
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"#fff\"/>\n",
        kWidth, kHeight);
    svg += text(kLeft, 22, "start", title);
    svg += axes(canvas, drawn);
    svg += band(canvas, forecast, shown);
    svg += line(canvas, drawn.values, 0, "#444");
    svg += line(canvas, actual, shown, "#d62728");
    svg += line(canvas, forecast.point, shown, "#1f77b4");
    return svg + legend(!actual.empty()) + "</svg>\n";
}

}  // namespace warmfront::forecast
