"use strict";
(() => {
  const table = document.querySelector("table[data-sorts]");
  const search = document.getElementById("search");
  const said = document.getElementById("said");
  if (!table || !search || !said) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];

  const byNumber = (one, other) => Number(one) - Number(other);
  const byText = (one, other) => one.localeCompare(other, "en", { numeric: true });

  function sort(column) {
    const head = heads[column];
    const isNumber = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const falls = before ? before === "ascending" : isNumber;
    const compare = isNumber ? byNumber : byText;
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const ordered = [...rows].sort((one, other) => compare(value(one), value(other)) * (falls ? -1 : 1));
    for (const each of heads) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    body.append(...ordered);
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    said.textContent = words.length ? `${shown} of ${rows.length} pairs` : "";
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(column));
  });
  search.addEventListener("input", filter);
  search.closest("[hidden]").hidden = false;
  document.documentElement.classList.add("scripted");
})();
