"use strict";

// Draws the events of each hour; the page has the same as a table.
{
  const place = document.getElementById("auditor-chart");
  const words = document.getElementById("auditor-chart-hour");
  const data = JSON.parse(document.getElementById("auditor-chart-data").textContent);
  const zone = place.dataset.zone;
  const hour = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  let chart = null;

  const say = (plot) => {
    const at = plot.cursor.idx;
    words.textContent = at == null ? "" : `From ${hour.format(new Date(data[0][at] * 1000))}: ${data[1][at].toLocaleString("en")} events`;
  };

  const draw = () => {
    const style = getComputedStyle(place);
    const text = getComputedStyle(document.body).color;
    const axis = { stroke: text, grid: { stroke: style.borderTopColor, width: 1 }, ticks: { show: false } };
    chart?.destroy();
    chart = new uPlot({
      width: place.clientWidth,
      height: 200,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { range: () => [data[0][0], data[0].at(-1) + 3600] },
        y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] },
      },
      axes: [
        { ...axis, values: (_, times) => times.map((time) => hour.format(new Date(time * 1000))), space: 90 },
        { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7], size: 70 },
      ],
      series: [{}, { fill: style.color, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8], align: 1 }) }],
      hooks: { setCursor: [say] },
    }, data, place);
  };

  draw();
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 200 })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
