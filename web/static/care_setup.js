// The picture of a week follows what is typed; without a script the button shows it.
(() => {
  const form = document.querySelector("[data-week]");
  const week = document.getElementById("week");
  if (!form || !week) return;
  form.querySelector("[data-look]").hidden = true;
  let waiting = 0;
  let asked = 0;
  const draw = async () => {
    const fields = new URLSearchParams(new FormData(form));
    fields.delete("csrf_token");
    const mine = ++asked;
    try {
      const answer = await fetch(`${form.dataset.week}?${fields}`, { headers: { Accept: "text/html" } });
      const text = answer.ok ? await answer.text() : "";
      if (text && mine === asked) week.innerHTML = text;
    } catch (error) { /* offline: the picture stays as it was */ }
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(draw, 300); });
})();
