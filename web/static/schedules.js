// Comforts for the editor of a schedule: only the fields that matter, and the next times while one types.
"use strict";

function followForm(form) {
  const repeat = form.querySelector("#when-repeat");
  const parts = [...form.querySelectorAll("[data-for]")];
  const next = form.querySelector("#next");
  let asked = 0;
  let timer = 0;

  function choose() {
    for (const part of parts) part.hidden = !part.dataset.for.split(" ").includes(repeat.value);
  }

  async function look() {
    const mine = ++asked;
    const told = new URLSearchParams([...new FormData(form)].filter(([name]) => name.startsWith("when_")));
    try {
      const answer = await fetch(`${form.dataset.schedule}?${told}`, { credentials: "same-origin" });
      if (mine !== asked || !answer.ok || answer.redirected) return;
      next.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    } catch (error) { /* the network is away: what stands there stays */ }
  }

  form.querySelector(".when").addEventListener("input", () => {
    choose();
    clearTimeout(timer);
    timer = setTimeout(look, 250);
  });
  choose();
}

for (const form of document.querySelectorAll("form[data-schedule]")) followForm(form);
