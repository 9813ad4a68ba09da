"use strict";
// Tables that sort, and the choice of a plot. Both only add to what is readable without them.
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

// one plot of several at a time; without this script, and on paper, all are shown
for (const figure of document.querySelectorAll(".plot")) {
  const choice = figure.querySelector("fieldset");
  if (!choice) continue;
  const show = () => {
    const axis = choice.querySelector("input:checked").value;
    for (const view of figure.querySelectorAll(".view")) view.hidden = view.dataset.axis !== axis;
  };
  choice.hidden = false;
  choice.addEventListener("change", show);
  show();
}

// what is folded away opens for whoever follows a link into it, and on paper
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", unfold);
if (location.hash) unfold();
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const part of folded) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of folded) part.open = false;
});
