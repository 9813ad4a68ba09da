"use strict";
// Tables that sort, and the plot. Both only add to what is readable without them.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => {
    const cell = row.cells[i];
    const text = cell.dataset.sort;
    if (text === undefined) return cell.querySelector(".note") || !cell.textContent.match(/[\p{L}\p{N}]/u) ? null : cell.textContent.trim();
    return text !== "" && isFinite(text) ? Number(text) : text;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = table.dataset.sortLabel;
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // figures start with the largest, names with the first; what has no figure stays last
      const first = head.classList.contains("number") && i > 0 ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const sorted = rows.slice().sort((a, b) => {
        const [x, y] = [value(a, i), value(b, i)];
        return x === null || y === null ? (x === null) - (y === null) : sign * compare(x, y);
      });
      body.append(...sorted);
    });
  });
}

const data = document.getElementById("plot-data");
if (data && window.Plotly) {
  const { y, axes, points } = JSON.parse(data.textContent);
  const figure = document.getElementById("tradeoff-plot");
  const canvas = figure.querySelector(".canvas");
  let axis = axes[0];

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    const [page, ink, muted, line, accent] = ["page", "ink", "muted", "line", "accent"].map(colour);
    const looks = {
      winner: { fill: accent, edge: accent, text: colour("on-accent") },
      front: { fill: muted, edge: muted, text: page },
      other: { fill: page, edge: muted, text: ink },
      excluded: { fill: page, edge: muted, text: muted },
    };
    const traces = Object.entries(looks).flatMap(([tone, look]) => {
      const shown = points.filter((p) => p.tone === tone && axis.key in p.x);
      if (!shown.length) return [];
      return [{
        type: "scatter",
        mode: "markers+text",
        name: shown[0].group,
        x: shown.map((p) => p.x[axis.key]),
        y: shown.map((p) => p.y),
        text: shown.map((p) => String(p.number)),
        textfont: { color: look.text, size: 11 },
        customdata: shown.map((p) => [p.name, p.labels.quality, p.labels[axis.key]]),
        hovertemplate: "%{customdata[0]}<br>" + y.title + " %{customdata[1]}<br>" + axis.title + " %{customdata[2]}<extra></extra>",
        marker: { size: 21, color: look.fill, opacity: tone === "excluded" ? 0.6 : 1, line: { color: look.edge, width: 1.5 } },
        error_y: {
          type: "data", symmetric: false, thickness: 1.5, width: 0, color: look.edge,
          array: shown.map((p) => p.high - p.y), arrayminus: shown.map((p) => p.y - p.low),
        },
      }];
    });
    const scale = (a) => ({
      title: { text: a.title, standoff: 12 }, tickmode: "array", tickvals: a.values, ticktext: a.labels,
      tickangle: 0, gridcolor: line, zeroline: false, showline: false, ticks: "", fixedrange: true,
    });
    Plotly.react(canvas, traces, {
      autosize: true,
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: muted },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 64, r: 16, t: 12, b: 56 },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
      hoverlabel: { bgcolor: page, bordercolor: muted, font: { color: ink } },
      xaxis: { ...scale(axis), type: "log", range: axis.range.map(Math.log10) },
      yaxis: { ...scale(y), range: y.range },
      dragmode: false,
    }, { responsive: true, displayModeBar: false });
  };

  figure.classList.add("drawn");
  draw();
  for (const input of figure.querySelectorAll("input[name=axis]")) {
    input.addEventListener("change", () => {
      axis = axes.find((a) => a.key === input.value);
      draw();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
