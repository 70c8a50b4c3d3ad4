// Comforts for the pages of money: choosing many entries, and what is left of a split payment.
"use strict";

for (const form of document.querySelectorAll("form[data-choose]")) {
  const all = form.querySelector("[data-all]");
  if (!all) continue;
  const boxes = [...form.querySelectorAll("[name=ids]")];
  const label = all.closest("label");
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && !all.checked;
    form.querySelector("[data-count]").textContent = chosen ? `${chosen} chosen` : "";
  };
  label.hidden = false;
  let last = -1;
  form.addEventListener("click", (event) => {
    const now = boxes.indexOf(event.target);
    if (now < 0) return;
    if (event.shiftKey && last >= 0) {
      for (const box of boxes.slice(Math.min(last, now), Math.max(last, now) + 1)) box.checked = event.target.checked;
    }
    last = now;
    count();
  });
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  addEventListener("pageshow", count);
}

// Amounts are read by the server; this only helps while somebody types plain ones.
const plain = (text) => /^-?\d+([.,]\d{1,2})?$/.test(text.trim()) ? Number(text.trim().replace(",", ".")) : text.trim() ? NaN : 0;

for (const form of document.querySelectorAll("form[data-split]")) {
  const rest = form.querySelector("[data-rest]");
  const whole = form.querySelector("#amount");
  if (rest && whole) {
    const tell = () => {
      const parts = [...form.querySelectorAll("[id^=part-][id$=-amount]")].map((part) => plain(part.value));
      const left = plain(whole.value) - parts.reduce((sum, part) => sum + part, 0);
      rest.textContent = Number.isNaN(left) ? "" : Math.abs(left) < 0.005 ? (plain(whole.value) ? "They do." : "") : `${Math.abs(left).toFixed(2)} ${left > 0 ? "is missing" : "is too much"}.`;
    };
    form.addEventListener("input", tell);
    tell();
  }
}
// A payee's last category is proposed while none is chosen.
const payee = document.querySelector("input[list=payees]");
payee?.addEventListener("change", () => {
  const known = [...document.querySelectorAll("#payees option")].find((option) => option.value === payee.value);
  const category = payee.form.querySelector("#category");
  if (known?.dataset.category && category && !category.value) category.value = known.dataset.category;
});

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => { if (sent) event.preventDefault(); sent = true; });
  addEventListener("pageshow", () => { sent = false; });
}
