// Asks /api/... and shows what it says. Texts come from clients and databases: they enter the page as text
// only (textContent), never as markup.
"use strict";
const at = id => document.getElementById(id);
const get = async path => {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
};
const statsEvery = 2000, forecastEvery = 4000, pointsMax = 150, windowSeconds = 10, chartsMax = 12;

// Rows of a table; a cell is a text, or [text, class].
function fill(body, rows, none) {
  if (rows.length === 0) rows = [[[none, "soft"]]];
  body.replaceChildren(...rows.map(cells => {
    const row = document.createElement("tr");
    for (const cell of cells) {
      const element = row.appendChild(document.createElement("td"));
      element.textContent = Array.isArray(cell) ? cell[0] : cell;
      if (Array.isArray(cell)) element.className = cell[1];
    }
    return row;
  }));
}

// ---- now: hit ratio, rates, latencies

const looks = [];  // { at, hits, misses, hit, miss }: the totals at each look
const rateChart = charts.rates(at("rates")), latencyChart = charts.latencies(at("latencies"));
const rateData = [[], [], []], latencyData = [[], [], []];

// The q-quantile of what came between two looks, in seconds; null without any. Bucket k ends at 2^k microseconds.
function quantile(now, before, q) {
  const counts = now.map((count, k) => count - before[k]), total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let k = 0; k < counts.length; ++k) {
    seen += counts[k];
    if (total > 0 && seen >= q * total) return 2 ** k / 1e6;
  }
  return null;
}

function push(data, values) {
  values.forEach((value, i) => data[i].push(value));
  if (data[0].length > pointsMax) data.forEach(column => column.shift());
}

function showStats(now) {
  const observes = now.mode === "observe";
  at("about").textContent = `${now.version} \u00b7 up ${format.span(now.uptime_seconds)} \u00b7 ` + (now.ready ? "ready" : "not ready: " + now.not_ready) +
    (observes ? " \u00b7 observes only: hits are those that would be" : "");
  const hits = observes ? now.would_be_hits : now.all.hits, misses = now.all.misses;
  const ratio = hits ? hits / (hits + misses) : 0;
  at("ratio").textContent = format.percent(ratio);
  at("ratio-bar").style.width = 100 * ratio + "%";
  at("queries").textContent = `${format.count(now.all.queries)} queries, ${format.count(now.all.connections)} ${now.all.connections === 1 ? "connection" : "connections"}`;
  at("hit").textContent = `${format.seconds(now.all.hit.p50_seconds)} / ${format.seconds(now.all.hit.p99_seconds)}`;
  at("miss").textContent = `miss ${format.seconds(now.all.miss.p50_seconds)} / ${format.seconds(now.all.miss.p99_seconds)}`;
  at("memory").textContent = format.bytes(now.cache.bytes);
  at("memory-of").textContent = `of ${format.bytes(now.cache.max_bytes)}, ${format.count(now.cache.entries)} answers`;
  at("memory-bar").style.width = now.cache.max_bytes ? Math.min(100, 100 * now.cache.bytes / now.cache.max_bytes) + "%" : "0";
  showRates({ at: Date.now() / 1000, hits, misses, hit: now.all.hit.buckets, miss: now.all.miss.buckets });
  fill(at("databases"), now.databases.map(d => [d.name, format.count(d.connections), format.count(d.queries), format.count(d.hits), format.count(d.misses),
    format.percent(d.hit_ratio), format.seconds(d.hit.p99_seconds), format.seconds(d.forwarded.p99_seconds)]), "no client was here yet");
  const refusals = now.databases.flatMap(d => d.refusals.map(r => ({ ...r, database: d.name }))).sort((a, b) => b.count - a.count);
  const all = refusals.reduce((sum, r) => sum + r.count, 0);
  fill(at("refusals"), refusals.slice(0, 20).map(r => [r.reason.replaceAll("_", " "), [r.database, "words"], format.count(r.count), format.percent(r.count / all)]),
    "every read could be kept so far");
}

function showRates(look) {
  const last = looks.at(-1);
  if (last && look.hits + look.misses < last.hits + last.misses) looks.length = 0;  // a new process
  looks.push(look);
  if (last && looks.length > 1) {
    const seconds = look.at - last.at, hits = (look.hits - last.hits) / seconds, misses = (look.misses - last.misses) / seconds;
    push(rateData, [look.at, hits, misses]);
    rateChart.feed(rateData);
    at("rate").textContent = format.count(hits);
    at("ratio-now").textContent = hits + misses > 0 ? `${format.percent(hits / (hits + misses))} now` : "no reads now";
  }
  while (looks.length > 2 && look.at - looks[1].at >= windowSeconds) looks.shift();
  push(latencyData, [look.at, quantile(look.hit, looks[0].hit, .99), quantile(look.miss, looks[0].miss, .99)]);
  latencyChart.feed(latencyData);
}

const statements = new Map();  // digest: text
const readsOf = new Map();  // "database table": { found, missed, origin, saved }, of the statements that read it

function sumByTable(templates) {
  readsOf.clear();
  for (const t of templates) {
    for (const table of t.tables) {
      const key = t.database + " " + table, sum = readsOf.get(key) || { found: 0, missed: 0, origin: 0, saved: 0 };
      sum.found += t.hits + t.would_be_hits;
      sum.missed += t.misses;
      sum.origin += t.origin_seconds * (t.hits + t.would_be_hits + t.misses);
      sum.saved += t.saved_seconds;
      readsOf.set(key, sum);
    }
  }
}

// What keeping brings to a table; "" of other series.
function keptOf(s) {
  if (s.kind !== "table" || s.measure !== "reads") return "";
  const sum = readsOf.get(s.database + " " + s.name), all = sum ? sum.found + sum.missed : 0;
  if (all === 0) return "no statement that reads it is kept";
  return `${format.percent(sum.found / all)} hits \u00b7 PostgreSQL ${format.seconds(sum.origin / all)} \u00b7 saved ${format.seconds(sum.saved)}`;
}

function showTemplates(templates) {
  for (const t of templates) statements.set(t.digest, t.template);
  sumByTable(templates);
  fill(at("templates"), templates.slice(0, 20).map(t => [[t.template, "text"], format.count(t.requests), format.percent(t.hit_ratio),
    format.seconds(t.origin_seconds), format.seconds(t.saved_seconds), format.bytes(t.bytes), t.state]), "no statement was kept yet");
}

// ---- forecast

const panels = new Map();  // id: { element, title, badge, meta, chart, from }
const kinds = [["table", "reads", "tables: reads"], ["table", "writes", "tables: writes"], ["table", "requests", "tables: requests"],
  ["database", "requests", "databases: requests"], ["database", "reads", "databases: reads"], ["database", "writes", "databases: writes"], ["statement", "requests", "statements"]];
let madeAt = null, lastList = null;

const nameOf = s => s.kind === "database" ? s.database : s.kind === "statement" ? statements.get(s.name) || s.name : s.name;

function offerKinds(series) {
  const there = kinds.filter(([kind, measure]) => series.some(s => s.kind === kind && s.measure === measure));
  const values = there.map(([kind, measure]) => kind + " " + measure), select = at("kind");
  if ([...select.options].map(o => o.value).join() === values.join()) return;
  const chosen = select.value;
  select.replaceChildren(...there.map(([kind, measure, text]) => new Option(text, kind + " " + measure)));
  if (values.includes(chosen)) select.value = chosen;
}

function panel(id) {
  if (panels.has(id)) return panels.get(id);
  const element = document.createElement("figure"), own = { element, from: 0 };
  element.className = "card";
  for (const [key, tag, name] of [["title", "h3", ""], ["badge", "span", "badge"], ["kept", "p", "meta soft"], ["meta", "p", "meta soft"], ["canvas", "div", "chart"], ["caption", "p", "meta soft"]]) {
    own[key] = element.appendChild(document.createElement(tag));
    own[key].className = name;
  }
  at("charts").appendChild(element);
  own.chart = charts.forecast(own.canvas, own.caption, () => own.from);
  panels.set(id, own);
  return own;
}

// The columns of a chart: what came and what had been forecast of it, then what is forecast.
function columns(s) {
  const past = new Map(s.past.time.map((time, i) => [time, i])), data = [[], [], [], [], []];
  s.recent.values.forEach((actual, i) => {
    const time = s.recent.from + i * s.step, k = past.get(time);
    push5(data, time, k === undefined ? null : s.past.hi95[k], k === undefined ? null : s.past.lo95[k], k === undefined ? null : s.past.point[k], actual);
  });
  s.forecast.point.forEach((point, i) => push5(data, s.forecast.from + i * s.step, s.forecast.hi95[i], s.forecast.lo95[i], point, null));
  return data;
}
const push5 = (data, ...values) => values.forEach((value, i) => data[i].push(value));

function showPanel(s) {
  const own = panel(s.id), name = nameOf(s), alarmed = s.alarm.side !== "within";
  own.title.textContent = own.title.title = s.kind === "table" || s.kind === "statement" ? `${name} \u00b7 ${s.database}` : name;
  own.element.classList.toggle("alarmed", alarmed);
  own.badge.hidden = !alarmed;
  own.badge.textContent = alarmed ? `${s.alarm.side} what was to be expected since ${format.clock(s.alarm.since, true)}` : "";
  const peak = s.summary ? ` \u00b7 peak ${format.count(s.summary.peak.point)} at ${format.clock(s.summary.peak_at, s.step < 60)}` : "";
  own.meta.textContent = `per ${format.span(s.step)} \u00b7 ${s.model}${s.mase === null ? "" : ` \u00b7 MASE ${s.mase.toFixed(2)}`}${peak}`;
  own.kept.textContent = own.kept.title = keptOf(s);
  own.kept.hidden = own.kept.textContent === "";
  own.meta.title = s.problem || own.meta.textContent;
  own.caption.dataset.resting = s.summary ? `next ${format.count(s.summary.next.point)} (${format.count(s.summary.next.lo95)} to ${format.count(s.summary.next.hi95)})` : "";
  own.caption.textContent = own.caption.dataset.resting;
  own.from = s.forecast.from;
  own.chart.feed(columns(s));
}

async function showForecast(list) {
  lastList = list;
  offerKinds(list.series);
  const alarms = list.series.filter(s => s.alarm.side !== "within").length;
  at("forecast-state").textContent = list.problem ? "the history cannot be read: " + list.problem
    : list.made === null ? "nothing is forecast yet"
    : `${list.series.length} series \u00b7 ${alarms === 0 ? "no alarms" : alarms === 1 ? "1 alarm" : alarms + " alarms"}` + (list.waiting > 0 ? ` \u00b7 ${list.waiting} wait to be trained` : "");
  const wanted = at("filter").value.trim().toLowerCase();
  const chosen = list.series.filter(s => s.kind + " " + s.measure === at("kind").value && nameOf(s).toLowerCase().includes(wanted));
  chosen.sort((a, b) => (b.alarm.side !== "within") - (a.alarm.side !== "within") || (b.summary?.total ?? 0) - (a.summary?.total ?? 0));
  const shown = chosen.slice(0, chartsMax);
  at("more").hidden = chosen.length <= shown.length;
  at("more").textContent = `${chosen.length - shown.length} more: name them above, or see SHOW FORECAST in the admin console`;
  for (const [id, own] of panels) if (!shown.some(s => s.id === id)) { own.chart.end(); own.element.remove(); panels.delete(id); }
  at("charts").querySelector(".empty")?.remove();
  if (shown.length === 0) {
    const none = at("charts").appendChild(document.createElement("p"));
    none.className = "empty";
    none.textContent = wanted ? "no series is called so" : "as soon as queries have been counted for some buckets, their load is drawn here";
    return;
  }
  const whole = await get("/api/forecast?" + shown.map(s => "series=" + encodeURIComponent(s.id)).join("&"));
  whole.series.forEach(showPanel);
}

function showCapacity(capacity) {
  at("capacity").hidden = capacity.recommended_sidecars === null;
  at("sidecars").textContent = format.count(capacity.recommended_sidecars);
  at("sidecars-why").textContent = `peak ${format.count(capacity.peak_queries_per_second)}/s, one carries ${format.count(capacity.sidecar_queries_per_second)}/s`;
  at("capacity").title = capacity.reason;
}

// Whatever members the rows have are the columns.
function showHot(rows) {
  if (!Array.isArray(rows)) rows = rows.keys || [];
  at("hot").hidden = rows.length === 0;
  if (rows.length === 0) return;
  const names = Object.keys(rows[0]), head = document.createElement("tr");
  const cell = value => typeof value === "number" ? format.count(value) : [String(value), "words"];
  for (const name of names) {
    const th = head.appendChild(document.createElement("th"));
    th.textContent = name.replaceAll("_", " ") + (name.startsWith("rate") ? " /s" : "");
    if (typeof rows[0][name] !== "number") th.className = "words";
  }
  at("hot-head").replaceChildren(head);
  fill(at("hot-rows"), rows.slice(0, 20).map(row => names.map(name => cell(row[name]))), "");
}

// ---- the round

async function refreshStats() {
  try {
    showStats(await get("/api/stats"));
    showTemplates(await get("/api/templates"));
  } catch (error) {
    at("about").textContent = "no answer from warmfront";
  }
  setTimeout(refreshStats, statsEvery);
}

let hotThere = true;
async function refreshForecast() {
  try {
    const list = await get("/api/forecast");
    if (list.made !== madeAt || madeAt === null) await showForecast(list);
    madeAt = list.made;
    showCapacity(await get("/api/capacity"));
    if (hotThere) await get("/api/hot").then(showHot, () => { hotThere = false; });
  } catch (error) {
    at("forecast-state").textContent = "no answer from warmfront";
  }
  setTimeout(refreshForecast, forecastEvery);
}

at("choice").addEventListener("submit", event => event.preventDefault());
at("kind").addEventListener("change", () => lastList && showForecast(lastList));
at("filter").addEventListener("input", () => lastList && showForecast(lastList));
refreshStats();
refreshForecast();
