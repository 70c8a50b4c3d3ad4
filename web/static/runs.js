// Comforts for jobs and runs: live progress, dropping files, one run for two clicks. Everything works without them.
"use strict";

const FIRST_WAIT = 700;
const LONGEST_WAIT = 8000;

// A reload of ours must not call back somebody who is already on the way to another page.
let leaving = false;
addEventListener("beforeunload", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });

function reload() {
  if (!leaving) location.reload();
}

// --- a run that goes on -------------------------------------------------------------------------------------------

function follow(status) {
  let etag = status.dataset.etag ? `W/"${status.dataset.etag}"` : "";
  let wait = FIRST_WAIT;
  let timer = 0;

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(status.dataset.poll, { headers: { "If-None-Match": etag }, credentials: "same-origin" });
      if (answer.redirected || answer.status === 401 || answer.status === 404) return reload();
      if (answer.status === 200) show(await answer.text(), answer.headers);
      // Slower while nothing happens, quick again as soon as something does.
      wait = answer.status === 200 ? FIRST_WAIT : Math.min(wait * 1.25, LONGEST_WAIT);
    } catch (error) {
      wait = LONGEST_WAIT; // the network is away; the next try finds out
    }
    timer = setTimeout(ask, wait);
  }

  function show(html, headers) {
    etag = headers.get("ETag") || "";
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const id of ["status", "timeline", "children"]) {
      document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    }
    const state = status.querySelector(".state").textContent.trim();
    if (state !== status.dataset.state) {
      status.dataset.state = state;
      document.getElementById("announce").textContent = state;
    }
    if (["succeeded", "failed", "cancelled"].includes(headers.get("X-Run-State"))) reload();
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) { wait = FIRST_WAIT; ask(); }
  });
  timer = setTimeout(ask, wait);
}

for (const status of document.querySelectorAll("[data-poll]")) follow(status);

// --- the list of runs, while one of them goes on ------------------------------------------------------------------

function refresh(list) {
  let wait = 3000;
  async function ask() {
    const busy = document.hidden || list.contains(document.activeElement);
    if (!busy) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("runs");
        if (!fresh) return;
        const chosen = new Set([...list.querySelectorAll("[name=ids]:checked")].map((box) => box.value));
        list.replaceChildren(...fresh.childNodes);
        for (const box of list.querySelectorAll("[name=ids]")) box.checked = chosen.has(box.value);
        list.dispatchEvent(new Event("change", { bubbles: true }));
        if (!fresh.hasAttribute("data-refresh")) return;
      } catch (error) { /* the network is away */ }
      wait = Math.min(wait * 1.3, 20000);
    }
    setTimeout(ask, wait);
  }
  setTimeout(ask, wait);
}

for (const list of document.querySelectorAll("[data-refresh]")) refresh(list);

// --- many runs at once: all on the page, how many, and a range with Shift ------------------------------------------

function chooseMany(form) {
  const all = form.querySelector("#all");
  if (!all) return;
  const boxes = () => [...form.querySelectorAll("[name=ids]")];
  let last = null;
  form.querySelector("[data-all]").hidden = false;

  function count() {
    const chosen = boxes().filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    form.querySelector("[data-count]").textContent = chosen ? `${chosen} chosen` : "";
    form.classList.toggle("chosen-some", chosen > 0);
  }

  form.addEventListener("click", (event) => {
    if (event.target.name !== "ids") return;
    const now = boxes(), [from, to] = [now.findIndex((box) => box.value === last), now.indexOf(event.target)];
    if (event.shiftKey && from >= 0) {
      for (const box of now.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = event.target.checked;
    }
    last = event.target.value;
    count();
  });
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    count();
  });
  addEventListener("pageshow", count); // a browser that goes back keeps the ticks
  count();
}

for (const form of document.querySelectorAll("form[data-many]")) chooseMany(form);

// --- files: drop them, see them, take one out again ---------------------------------------------------------------

function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function dropZone(zone) {
  const input = zone.querySelector("input[type=file]");
  const list = zone.querySelector("[data-chosen]");
  const chosen = new DataTransfer();
  zone.classList.add("ready");
  zone.querySelector("[data-drop-words]").hidden = false;

  function add(files) {
    if (!input.multiple) chosen.items.clear();
    const known = new Set([...chosen.files].map((file) => `${file.name}/${file.size}`));
    for (const file of input.multiple ? files : [...files].slice(0, 1)) {
      if (!known.has(`${file.name}/${file.size}`)) chosen.items.add(file);
    }
    draw();
  }

  function remove(index) {
    chosen.items.remove(index);
    draw();
    (list.querySelectorAll("li > button:last-child")[Math.max(0, index - 1)] || input).focus();
  }

  function swap(index, fresh) {
    const files = [...chosen.files].with(index, fresh);
    chosen.items.clear();
    for (const file of files) chosen.items.add(file);
    draw();
    return list.children[index];
  }

  function draw() {
    input.files = chosen.files;
    list.hidden = !chosen.files.length;
    list.replaceChildren(...[...chosen.files].map((file, index) => {
      const row = document.createElement("li");
      const [name, bytes, button] = ["span", "span", "button"].map((tag) => document.createElement(tag));
      [name.className, name.textContent] = ["name", file.name];
      [bytes.className, bytes.textContent] = ["size", size(file.size)];
      [button.type, button.textContent] = ["button", "✕"];
      button.setAttribute("aria-label", `Leave out ${file.name}`);
      button.addEventListener("click", () => remove(index));
      row.append(name, bytes, button);
      // crop.js, where it is loaded, adds to the rows of pictures.
      zone.dispatchEvent(new CustomEvent("chosen", { detail: { file, row, swap: (fresh) => swap(index, fresh) } }));
      return row;
    }));
  }

  input.addEventListener("change", () => add([...input.files]));
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); add([...event.dataTransfer.files]); });
}

for (const zone of document.querySelectorAll("[data-drop]")) dropZone(zone);

// --- forms --------------------------------------------------------------------------------------------------------

function tooLarge(form) {
  const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
  const limit = Number(form.dataset.maxBytes || Infinity);
  return files.reduce((sum, file) => sum + file.size, 0) > limit * 0.99 ? limit : 0;
}

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    const limit = tooLarge(form);
    const problem = form.querySelector("[data-problem]");
    if (limit) {
      problem.textContent = `These files are too large: together they may have ${size(limit)}.`;
      problem.hidden = false;
    }
    if (sent || limit) return event.preventDefault();
    sent = true;
    for (const button of form.querySelectorAll("button:not([type=button])")) button.classList.add("disabled");
  });
  addEventListener("pageshow", () => { sent = false; form.querySelectorAll(".disabled").forEach((button) => button.classList.remove("disabled")); });
}
