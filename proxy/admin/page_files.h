// proxy/admin/page_files.h: the live page: the files of proxy/admin/page/, which the build puts into the
// program (proxy/admin/page/embed.cmake). Immutable.
//
// Charts are drawn by uPlot (MIT, proxy/admin/page/uPlot.LICENSE), which lies there as its authors ship it.
#pragma once

#include <span>
#include <string_view>

namespace warmfront::admin {

struct PageFile {
    std::string_view path;  // "/", "/page/page.js"
    std::string_view type;  // of the content, as HTTP says it
    std::string_view content;
};

[[nodiscard]] std::span<const PageFile> page_files();
// The Content-Security-Policy: scripts, styles and data from here alone, nothing inline.
[[nodiscard]] std::string_view page_policy();

}  // namespace warmfront::admin
