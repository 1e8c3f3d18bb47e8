"use strict";
(() => {
  const form = document.querySelector(".filter");
  const table = document.querySelector(".matrix");
  const said = form.querySelector("output");
  const apply = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { value: law } = form.elements.law;
    const { value: state } = form.elements.state;
    let shown = 0;
    for (const body of table.tBodies) {
      let mine = 0;
      for (const row of body.rows) {
        if (row.dataset.status === undefined) continue;
        const text = `${body.dataset.words} ${row.dataset.status}`.toLowerCase();
        const cell = row.cells[law === "" ? 1 : Number(law) + 2];
        const came = ["verified", "seen", "masked"].find((each) => cell.classList.contains(each)) ?? "not verified";
        const fits = words.every((word) => text.includes(word)) && (state === "" || came === state);
        row.classList.toggle("away", !fits);
        mine += fits;
      }
      body.classList.toggle("away", mine === 0);
      shown += mine;
    }
    for (const row of table.rows) {
      for (const cell of row.cells) {
        cell.classList.toggle("away", law !== "" && cell.colSpan === 1 && cell.cellIndex > 1 && cell.cellIndex !== Number(law) + 2);
      }
    }
    said.textContent = `${shown} statuses`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
