// Numbers and times as people read them.
"use strict";
const format = {
  count: n => n === null || n === undefined ? "\u2013" : n.toLocaleString("en", { maximumFractionDigits: Math.abs(n) < 100 ? 1 : 0 }),
  short: n => n === null || n === undefined ? "" : n.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 }),
  percent: r => (100 * r).toFixed(1) + " %",
  seconds: s => !s ? "\u2013" : s < 1e-3 ? Math.round(s * 1e6) + " \u00b5s" : s < 1 ? (s * 1e3).toPrecision(3) + " ms" : s < 1000 ? s.toPrecision(3) + " s" : format.span(s),
  bytes: n => { let u = 0; while (n >= 1024 && u < 4) { n /= 1024; ++u; } return n.toPrecision(n >= 1000 ? 4 : 3) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][u]; },
  span: s => s < 120 ? Math.round(s) + " s" : s < 7200 ? Math.round(s / 60) + " min" : s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days",
  clock: (s, withSeconds) => new Date(s * 1000).toLocaleString("en-GB", Math.abs(Date.now() / 1000 - s) > 43200
    ? { weekday: "short", hour: "2-digit", minute: "2-digit" }
    : withSeconds ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : { hour: "2-digit", minute: "2-digit" }),
};
