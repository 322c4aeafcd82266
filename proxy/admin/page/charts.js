// Charts: what uPlot is told. A chart is made once, fed with new data, and made anew when the colours change.
"use strict";
const charts = (() => {
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const made = new Set();

  // Of a logarithmic axis: the powers of ten alone.
  const decades = (chart, splits) => splits.map(v => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6 ? v : null);

  const axes = (value, left, only) => [
    { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif", space: 70, size: 34,
      values: [[86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1], [3600, "{HH}:{mm}", "\n{WWW} {D} {MMM}", null, "\n{WWW} {D} {MMM}", null, null, null, 1],
        [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
    { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1, ...(only && { filter: only }) }, ticks: { show: false }, font: "11px system-ui, sans-serif", size: left || 48, space: 32, ...(only && { filter: only }),
      values: (chart, ticks) => ticks.map(tick => tick === null ? "" : value(tick)) },
  ];

  // options(): made anew with each change of colours. Returns { feed(data), end() }.
  function make(element, options, legendHeight = 0) {
    let chart = null, data = null;
    const size = () => ({ width: Math.max(160, element.clientWidth), height: Math.max(90, element.clientHeight - legendHeight) });
    const build = () => {
      if (chart) chart.destroy();
      chart = new uPlot({ ...size(), cursor: { y: false, points: { size: 5 } }, legend: { show: false }, padding: [8, 24, 0, 0], ...options() }, data, element);
    };
    const watch = new ResizeObserver(() => { if (chart) chart.setSize(size()); });
    watch.observe(element);
    const self = {
      feed(next) { data = next; if (chart) chart.setData(next); else build(); },
      rebuild() { if (chart) build(); },
      end() { watch.disconnect(); if (chart) chart.destroy(); made.delete(self); },
    };
    made.add(self);
    return self;
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.forEach(each => each.rebuild()));

  const line = (label, name, more) => ({ label, stroke: colour(name), width: 2, points: { show: false }, ...more });
  const fromZero = (chart, low, high) => [0, Math.max(high || 0, 1e-6) * 1.08];

  // What is under the cursor, as a text in `element`.
  const tell = (element, text) => ({ hooks: { setCursor: [chart => {
    const at = chart.cursor.idx;
    element.textContent = at === null || at === undefined ? element.dataset.resting || "" : text(chart.data, at);
  }] } });

  const rates = element => make(element, () => ({
    axes: axes(format.short), scales: { y: { range: fromZero } },
    series: [{}, line("hits", "warm", { fill: colour("warm") + "22" }), line("misses", "cool")], legend: { show: true, live: true },
  }), 26);
  const latencies = element => make(element, () => ({
    axes: axes(v => format.seconds(v), 58, decades), scales: { y: { distr: 3, range: (chart, low, high) => low > 0 ? [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))] : [1e-6, 1e-2] } },
    series: [{}, line("hit", "warm", { value: (c, v) => format.seconds(v) }), line("miss", "cool", { value: (c, v) => format.seconds(v) })], legend: { show: true, live: true },
  }), 26);

  // Data: time, upper and lower bound, forecast, what came. nowAt(): where the forecast begins.
  const forecast = (element, caption, nowAt) => make(element, () => {
    const told = tell(caption, (data, at) => {
      const [time, hi, lo, point, actual] = data.map(column => column[at]);
      return `${format.clock(time, true)} \u00b7 came ${format.count(actual)} \u00b7 forecast ${format.count(point)} (${format.count(lo)} to ${format.count(hi)})`;
    });
    return {
      axes: axes(format.short), scales: { y: { range: fromZero } },
      series: [{}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } },
        line("forecast", "cool", { dash: [5, 4], width: 1.5 }), line("came", "warm")],
      bands: [{ series: [1, 2], fill: colour("band") }],
      hooks: { ...told.hooks, drawAxes: [chart => {
        const x = Math.round(chart.valToPos(nowAt(), "x", true)), { top, height } = chart.bbox, pen = chart.ctx;
        pen.save(); pen.strokeStyle = colour("soft"); pen.lineWidth = 1; pen.setLineDash([2, 3]);
        pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, top + height); pen.stroke(); pen.restore();
      }] },
    };
  });
  return { rates, latencies, forecast };
})();
