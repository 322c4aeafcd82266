#include "proxy/admin/status_page.h"

namespace warmfront::admin {

std::string_view status_page_policy() {
    return "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
           "base-uri 'none'; frame-ancestors 'none'";
}

std::string_view status_page() {
    return R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>warmfront</title>
<style>
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #e3e7ee; --card: #fff; --page: #f5f7fa;
        --warm: #d9480f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2b3340; --card: #1a202b; --page: #12161e; --warm: #ff8a4c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; margin-bottom: 1.5rem; }
h1 { margin: 0; font-size: 1.5rem; } h1::before { content: "\25E0 "; color: var(--warm); }
nav { margin-left: auto; } a { color: var(--warm); } nav a { margin-left: 1rem; }
.soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem; }
.tile, .wide { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem; }
.tile b { display: block; font-size: 1.8rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.bar { height: .4rem; margin-top: .5rem; border-radius: .2rem; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; width: 0; background: var(--warm); }
.wide { margin-top: 1rem; overflow-x: auto; }
svg { display: block; width: 100%; height: 5rem; }
polyline { fill: none; stroke: var(--warm); stroke-width: 2; vector-effect: non-scaling-stroke; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; } th, td { padding: .3rem .8rem .3rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; } tr + tr td { border-top: 1px solid var(--line); }
</style>
</head>
<body>
<main>
<header>
  <h1>warmfront</h1><span class="soft" id="about">&nbsp;</span>
  <nav><a href="/metrics">metrics</a><a href="/api/stats">json</a><a href="/api/templates">statements</a><a href="/readyz">readiness</a></nav>
</header>
<div class="tiles">
  <div class="tile"><span class="soft">hit ratio</span><b id="ratio">&ndash;</b><div class="bar"><i id="ratio-bar"></i></div></div>
  <div class="tile"><span class="soft">hits per second</span><b id="rate">&ndash;</b><span class="soft" id="queries">&nbsp;</span></div>
  <div class="tile"><span class="soft">hit, p50 / p99</span><b id="hit">&ndash;</b><span class="soft" id="miss">&nbsp;</span></div>
  <div class="tile"><span class="soft">memory</span><b id="memory">&ndash;</b><div class="bar"><i id="memory-bar"></i></div></div>
</div>
<div class="wide"><span class="soft">hits per second, the last two minutes</span>
  <svg viewBox="0 0 60 20" preserveAspectRatio="none"><polyline id="curve" points=""></polyline></svg></div>
<div class="wide"><table>
  <thead><tr><th>database</th><th>connections</th><th>queries</th><th>hits</th><th>misses</th><th>hit ratio</th><th>p99 hit</th><th>p99 forwarded</th></tr></thead>
  <tbody id="databases"></tbody></table></div>
<div class="wide"><table>
  <thead><tr><th>statement</th><th>requests</th><th>hit ratio</th><th>PostgreSQL takes</th><th>saved</th><th>memory</th><th>state</th></tr></thead>
  <tbody id="templates"></tbody></table></div>
</main>
<script>
"use strict";
const at = id => document.getElementById(id);
const count = n => n.toLocaleString("en", { maximumFractionDigits: n < 100 ? 1 : 0 });
const percent = r => (100 * r).toFixed(1) + " %";
const time = s => s === 0 ? "\u2013" : s < 1e-3 ? Math.round(s * 1e6) + " \u00b5s" : s < 1 ? (s * 1e3).toPrecision(3) + " ms" : s.toPrecision(3) + " s";
const bytes = n => { let u = 0; while (n >= 1024 && u < 4) { n /= 1024; ++u; } return n.toPrecision(3) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][u]; };
const span = s => s < 120 ? s + " s" : s < 7200 ? Math.floor(s / 60) + " min" : s < 172800 ? Math.floor(s / 3600) + " h" : Math.floor(s / 86400) + " days";
const period = 2000;
let before = null;
const rates = [];

function show(now) {
  at("about").textContent = `${now.version} \u00b7 up ${span(now.uptime_seconds)} \u00b7 ` + (now.ready ? "ready" : "not ready: " + now.not_ready) +
    (now.mode === "observe" ? " \u00b7 observes only: hits are those that would be" : "");
  const found = now.mode === "observe" ? now.would_be_hits : now.all.hits;
  const ratio = found ? found / (found + now.all.misses) : 0;
  at("ratio").textContent = percent(ratio);
  at("ratio-bar").style.width = percent(ratio).replace(" ", "");
  at("queries").textContent = `${count(now.all.queries)} queries, ${count(now.all.connections)} connections`;
  at("hit").textContent = `${time(now.all.hit.p50_seconds)} / ${time(now.all.hit.p99_seconds)}`;
  at("miss").textContent = `miss ${time(now.all.miss.p50_seconds)} / ${time(now.all.miss.p99_seconds)}`;
  at("memory").textContent = `${bytes(now.cache.bytes)}`;
  at("memory-bar").style.width = now.cache.max_bytes ? 100 * now.cache.bytes / now.cache.max_bytes + "%" : "0";
  if (before) {
    const rate = Math.max(0, found - before.hits) / ((performance.now() - before.at) / 1000);
    at("rate").textContent = count(rate);
    rates.push(rate);
    if (rates.length > 60) rates.shift();
    const top = Math.max(...rates, 1);
    at("curve").setAttribute("points", rates.map((r, i) => `${60 - rates.length + i + 1},${19 - 18 * r / top}`).join(" "));
  }
  before = { hits: found, at: performance.now() };
  at("databases").replaceChildren(...now.databases.map(d => {
    const row = document.createElement("tr");
    for (const text of [d.name, count(d.connections), count(d.queries), count(d.hits), count(d.misses), percent(d.hit_ratio), time(d.hit.p99_seconds), time(d.forwarded.p99_seconds)])
      row.appendChild(document.createElement("td")).textContent = text;
    return row;
  }));
}

function list(templates) {
  at("templates").replaceChildren(...templates.slice(0, 20).map(t => {
    const row = document.createElement("tr");
    for (const text of [t.template, count(t.requests), percent(t.hit_ratio), time(t.origin_seconds), time(t.saved_seconds), bytes(t.bytes), t.state])
      row.appendChild(document.createElement("td")).textContent = text;
    row.title = t.digest + (t.reason ? ": " + t.reason : "");
    return row;
  }));
}

async function refresh() {
  try {
    const get = async path => (await fetch(path, { cache: "no-store" })).json();
    show(await get("/api/stats"));
    list(await get("/api/templates"));
  } catch (error) {
    at("about").textContent = "no answer from warmfront";
  }
  setTimeout(refresh, period);
}
refresh();
</script>
</body>
</html>
)html";
}

}  // namespace warmfront::admin
