#include "proxy/admin/page_files.h"

#include "page_content.inc"

namespace warmfront::admin {

std::span<const PageFile> page_files() {
    static constexpr std::string_view kScript = "text/javascript; charset=utf-8";
    static constexpr std::string_view kStyle = "text/css; charset=utf-8";
    static constexpr PageFile kFiles[] = {
        {"/", "text/html; charset=utf-8", page::index_html},
        {"/page/page.css", kStyle, page::page_css},
        {"/page/format.js", kScript, page::format_js},
        {"/page/charts.js", kScript, page::charts_js},
        {"/page/page.js", kScript, page::page_js},
        {"/page/uPlot.css", kStyle, page::uPlot_min_css},
        {"/page/uPlot.js", kScript, page::uPlot_iife_min_js},
        {"/page/uPlot.LICENSE", "text/plain; charset=utf-8", page::uPlot_LICENSE},
    };
    return kFiles;
}

std::string_view page_policy() {
    return "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'";
}

}  // namespace warmfront::admin
