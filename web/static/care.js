// Comforts for tickets: keys, many at once, drafts, who else is here. Everything works without them.
"use strict";

// --- keys: only where nobody types, and only while they are wanted in this browser ----------------------------------

const KEYS = "care-keys";
const kept = (name) => { try { return localStorage.getItem(name); } catch (error) { return null; } };
const keep = (name, value) => {
  try { if (value === null) localStorage.removeItem(name); else localStorage.setItem(name, value); } catch (error) { /* private mode */ }
};

const dialog = document.getElementById("keys");
const wanted = () => kept(KEYS) !== "off";

function openKeys() { if (dialog && !dialog.open) dialog.showModal(); }

if (dialog) {
  const box = dialog.querySelector("#keys-on");
  box.checked = wanted();
  box.addEventListener("change", () => keep(KEYS, box.checked ? null : "off"));
  for (const button of document.querySelectorAll("[data-keys-open]")) {
    button.hidden = false;
    button.addEventListener("click", openKeys);
  }
}

const rows = () => [...document.querySelectorAll("[data-row]")];
const at = () => rows().findIndex((row) => row.classList.contains("care-at"));

function go(step) {
  const all = rows();
  if (!all.length) return;
  const next = Math.min(Math.max(at() + step, 0), all.length - 1);
  for (const row of all) row.classList.remove("care-at");
  all[next].classList.add("care-at");
  const link = all[next].querySelector("[data-open]");
  link.focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "nearest" });
}

function tick() {
  const box = rows()[at()]?.querySelector("[name=numbers]");
  if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }
}

function write(kind) {
  const radio = document.querySelector(`[data-kind="${kind}"]`);
  if (!radio) return;
  radio.checked = true;
  document.querySelector("[data-answer]").focus();
}

const follow = (selector) => { const link = document.querySelector(selector); if (link) location.href = link.href; };
const DEEDS = {
  j: () => go(1), k: () => go(-1), x: tick, n: () => follow("[data-new]"), u: () => follow("[data-back]"),
  "/": () => document.querySelector("[data-search]")?.focus(), "?": openKeys, r: () => write("answer"), i: () => write("note"),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.matches("[data-answer]")) {
    const note = document.querySelector('[data-kind="note"]').checked;
    event.target.form.requestSubmit(event.target.form.querySelector(note ? ".care-keep" : ".care-send"));
    return;
  }
  if (typing || !wanted() || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  const deed = DEEDS[event.key];
  if (deed) { event.preventDefault(); deed(); }
});

// --- many at once ----------------------------------------------------------------------------------------------------

for (const form of document.querySelectorAll("[data-care-many]")) {
  const all = form.querySelector("#all");
  if (!all) continue;
  const boxes = () => [...form.querySelectorAll("[name=numbers]")];
  form.querySelector("[data-all]").hidden = false;
  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    form.querySelector("[data-count]").textContent = chosen ? `${chosen} ticked` : "";
    form.classList.toggle("care-ticked", chosen > 0);
  };
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    count();
  });
  form.addEventListener("keydown", (event) => {  // Enter in a field does what its own button says
    const button = event.target.closest(".input-group")?.querySelector("button");
    if (event.key === "Enter" && button && event.target !== button) { event.preventDefault(); form.requestSubmit(button); }
  });
  addEventListener("pageshow", count);
  count();
}

// --- a draft that outlives a closed tab, for three days, in this browser alone ---------------------------------------

const DAYS_3 = 3 * 86_400_000;
const page = document.querySelector("[data-ticket]");
const draftOf = () => `care-draft:${page.dataset.person}:${page.dataset.ticket}`;

function forgetOldDrafts() {
  try {
    for (const name of Object.keys(localStorage).filter((one) => one.startsWith("care-draft:"))) {
      let draft = null;
      try { draft = JSON.parse(localStorage.getItem(name)); } catch (error) { /* none of ours any more */ }
      if (!draft || Date.now() - draft.at > DAYS_3) localStorage.removeItem(name);
    }
  } catch (error) { /* private mode */ }
}

function draft(form) {
  const text = form.querySelector("[data-answer]"), words = form.querySelector("[data-draft-words]");
  const address = new URL(location.href);
  if (address.searchParams.has("sent")) {
    keep(draftOf(), null);
    address.searchParams.delete("sent");
    history.replaceState(null, "", address);
  }
  const found = JSON.parse(kept(draftOf()) || "null");
  if (found && !text.value) {
    text.value = found.text;
    if (found.note) form.querySelector('[data-kind="note"]').checked = true;
    words.textContent = "What you began to write here before stands in the field again.";
  }
  let timer = 0, typed = false, sent = false;
  const save = () => {
    const note = form.querySelector('[data-kind="note"]').checked;
    keep(draftOf(), text.value.trim() ? JSON.stringify({ text: text.value, note, at: Date.now() }) : null);
    typed = false;
  };
  form.addEventListener("input", () => {
    typed = true;
    clearTimeout(timer);
    timer = setTimeout(save, 400);
  });
  form.addEventListener("submit", (event) => {
    if (sent) return event.preventDefault();
    sent = true;
    clearTimeout(timer);
  });
  addEventListener("pageshow", () => { sent = false; });
  addEventListener("pagehide", () => { if (typed && !sent) save(); });
}

forgetOldDrafts();
for (const form of document.querySelectorAll("[data-draft]")) draft(form);

// --- who else is here, and what came: asked for every few seconds while the page is looked at ------------------------

const FIRST_WAIT = 4000, LONGEST_WAIT = 10000;

function live() {
  let etag = `W/"${page.dataset.etag}"`, wait = FIRST_WAIT, timer = 0, wrote = 0;
  const text = document.querySelector("[data-answer]"), token = document.querySelector("#answer [name=csrf_token]");
  text?.addEventListener("input", () => { wrote = text.value.trim() ? Date.now() : 0; });

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    const writes = token && Date.now() - wrote < 30000;
    const how = { headers: { "If-None-Match": etag }, credentials: "same-origin" };
    if (writes) Object.assign(how, { method: "POST", body: new URLSearchParams({ csrf_token: token.value }) });
    try {
      const answer = await fetch(page.dataset.poll, how);
      if (answer.redirected || [401, 403, 404].includes(answer.status)) return;
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        document.getElementById("presence").innerHTML = await answer.text();
        if (Number(answer.headers.get("X-Ticket-Version")) > Number(page.dataset.version)) await fresh();
      }
      wait = answer.status === 200 ? FIRST_WAIT : Math.min(wait * 1.3, LONGEST_WAIT);
    } catch (error) { wait = LONGEST_WAIT; /* the network is away; the next try finds out */ }
    timer = setTimeout(ask, wait);
  }

  // What was said is shown at once; the form keeps the version that its writer saw, until they say they have read it.
  async function fresh() {
    const answer = await fetch(location.pathname + location.search, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    const box = found.querySelector("[data-ticket]");
    if (!box) return;
    const said = document.getElementById("said"), facts = document.getElementById("facts");
    said.replaceChildren(...found.getElementById("said").childNodes);
    if (!facts.contains(document.activeElement)) facts.replaceChildren(...found.getElementById("facts").childNodes);
    page.dataset.version = box.dataset.version;
    const news = document.getElementById("news"), link = news.querySelector("[data-news]");
    news.hidden = false;
    news.querySelector("[data-news-words]").textContent = "Something came to this ticket: it stands on this page already.";
    link.textContent = "I have read it";
    link.onclick = (event) => {
      event.preventDefault();
      for (const field of document.querySelectorAll("[name=version]")) field.value = page.dataset.version;
      news.hidden = true;
    };
  }

  document.addEventListener("visibilitychange", () => { clearTimeout(timer); if (!document.hidden) { wait = FIRST_WAIT; ask(); } });
  // Whoever sends a form comes back to this ticket: the word that they left might arrive after they did.
  let stays = false;
  document.addEventListener("submit", (event) => { stays = !event.defaultPrevented; });
  addEventListener("pageshow", () => { stays = false; });
  addEventListener("pagehide", () => {
    if (token && !stays) navigator.sendBeacon(page.dataset.poll, new URLSearchParams({ csrf_token: token.value, gone: "1" }));
  });
  timer = setTimeout(ask, wait);
}

if (page) live();
