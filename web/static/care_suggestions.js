// Fetches what was answered before, and puts one of it into the answer that is being written.
(() => {
  const box = document.querySelector("[data-suggestions]");
  if (!box) return;
  const field = () => document.querySelector("[data-answer], form textarea[name=text]");

  const insert = (text) => {
    const into = field();
    if (!into) return;
    const before = into.value.slice(0, into.selectionStart), after = into.value.slice(into.selectionEnd);
    const gap = before.trim() ? "\n\n" : "";
    into.value = before.trimEnd() + gap + text + (after.trim() ? "\n\n" + after.trimStart() : "");
    into.focus();
    into.selectionStart = into.selectionEnd = before.trimEnd().length + gap.length + text.length;
    into.dispatchEvent(new Event("input", { bubbles: true }));
  };

  fetch(box.dataset.suggestions, { headers: { Accept: "text/html" } })
    .then((answer) => (answer.ok ? answer.text() : Promise.reject()))
    .then((text) => {
      box.innerHTML = text;
      if (field()) box.querySelectorAll("[data-insert]").forEach((button) => { button.hidden = false; });
    })
    .catch(() => { /* the link stays */ });

  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (button) insert(button.dataset.insert);
  });
})();
