// Of the fields that say when a period begins, only that of the chosen period is shown.
"use strict";

(() => {
  const period = document.getElementById("period");
  if (!period) return;
  const fields = [...document.querySelectorAll("[data-of-period]")];
  const show = () => fields.forEach((field) => { field.hidden = !field.dataset.ofPeriod.split(" ").includes(period.value); });
  period.addEventListener("change", show);
  show();
})();
