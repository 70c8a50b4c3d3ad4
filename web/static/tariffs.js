// A tariff's form: only the part of its kind is shown, rows come without a round trip, and the week is drawn as it is typed.
"use strict";

(() => {
  const form = document.querySelector("[data-tariff]");
  if (!form) return;
  const kind = form.elements.kind;
  const parts = [...form.querySelectorAll("[data-kind]")];
  const show = () => parts.forEach((part) => { part.hidden = part.dataset.kind !== kind.value; });
  kind.addEventListener("change", show);
  show();

  const numbered = (node, number) => {
    for (const name of ["id", "name", "for", "aria-describedby"]) {
      const text = node.getAttribute(name);
      if (text) node.setAttribute(name, text.replace(/-\d+-/, `-${number}-`));
    }
  };

  const more = (what) => {
    const rows = form.querySelectorAll(`[data-row="${what}"]`);
    const most = what === "period" ? 60 : 12;
    if (rows.length >= most) return;
    const last = rows[rows.length - 1];
    const added = last.cloneNode(true);
    for (const node of added.querySelectorAll("*")) numbered(node, rows.length);
    for (const field of added.querySelectorAll("input")) field.value = field.placeholder ? field.value : "";
    for (const error of added.querySelectorAll(".invalid-feedback")) error.remove();
    for (const field of added.querySelectorAll(".is-invalid")) { field.classList.remove("is-invalid"); field.removeAttribute("aria-invalid"); }
    added.querySelector("legend").textContent = `${what === "period" ? "Row" : "Block"} ${rows.length + 1}`;
    last.after(added);
    form.elements[`${what}_rows`].value = rows.length + 1;
    added.querySelector("input").focus();
  };

  for (const button of form.querySelectorAll("[data-more]")) {
    button.addEventListener("click", (event) => { event.preventDefault(); more(button.dataset.more); });
  }

  let asked = 0;
  const draw = async () => {
    const number = ++asked;
    const body = new FormData(form);
    body.set("do", "picture");
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok || number !== asked) return; // a later one is on its way, or it is drawn when it is saved
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("week");
    const week = document.getElementById("week");
    if (found && week) week.replaceWith(document.adoptNode(found));
  };
  let waiting = 0;
  form.addEventListener("change", () => { if (kind.value !== "time of use") return; clearTimeout(waiting); waiting = setTimeout(draw, 400); });
  form.querySelector("[data-picture]").addEventListener("click", (event) => { event.preventDefault(); draw(); });
})();
