// Cuts and covers parts of a chosen picture before it is handed over, so that a printed name never leaves the machine.
// Written here: the packaged croppers are old, want jQuery, and none of them covers anything.
"use strict";

const PREVIEW = 1400; // pixels of the longer side on the screen; the file keeps its own
const THUMBNAIL = 160;
const LEAST = 24; // pixels; what is smaller is refused as a picture
const QUALITY = 0.95;
const LARGE = 20e6; // bytes: a browser packs a PNG less tightly, and what is too large would be refused
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const between = (low, value, high) => Math.round(Math.max(low, Math.min(value, high)));
const keyOf = (file) => `${file.name}/${file.size}/${file.lastModified}`;

// --- looking at files ---------------------------------------------------------------------------------------------

const looks = new Map(); // of each file: its size and a small copy
const cuts = new Map(); // of each file that was made here: the one it was made of, and what was done
let turn = Promise.resolve(); // one at a time: a decoded picture of 40 megapixels takes 160 MB

function isPicture(file) {
  return /^image\/(png|jpeg|bmp|x-ms-bmp)$/.test(file.type) || /\.(png|jpe?g|bmp)$/i.test(file.name);
}

async function decode(file) {
  const whole = await createImageBitmap(file); // decoded beside the page, turned as its camera says
  const { width, height } = whole;
  const scale = Math.min(1, PREVIEW / Math.max(width, height));
  const [resizeWidth, resizeHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = await createImageBitmap(whole, { resizeWidth, resizeHeight, resizeQuality: "medium" });
  whole.close();
  return { width, height, small };
}

function look(file) {
  const key = keyOf(file);
  if (!looks.has(key)) {
    looks.set(key, turn.then(() => decode(file)));
    turn = looks.get(key).catch(() => {});
  }
  return looks.get(key);
}

function thumbnail(small) {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, THUMBNAIL / Math.max(small.width, small.height));
  [canvas.width, canvas.height] = [small.width, small.height].map((side) => Math.max(1, Math.round(side * scale)));
  canvas.getContext("2d").drawImage(small, 0, 0, canvas.width, canvas.height);
  canvas.className = "thumbnail";
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

// --- the dialog ---------------------------------------------------------------------------------------------------

const dialog = document.querySelector("[data-crop-dialog]");
const part = (name) => dialog.querySelector(`[data-${name}]`);
const stage = part("stage");
const numbers = ["left", "top", "width", "height"].map((name) => dialog.querySelector(`#crop-${name}`));
let shown = null; // { file, width, height, frame, covers, current, done } while it is open

function open(file, { width, height, small }, done) {
  shown = { file, width, height, done, covers: [] };
  const canvas = stage.querySelector("canvas");
  [canvas.width, canvas.height] = [small.width, small.height];
  canvas.getContext("2d").drawImage(small, 0, 0);
  fault("");
  begin();
  dialog.showModal();
  shown.frame.element.focus();
}

function begin() {
  for (const element of stage.querySelectorAll(".crop-box")) element.remove();
  shown.covers = [];
  shown.frame = box("Frame", "crop-frame", ["nw", "ne", "sw", "se"]);
  place(shown.frame, 0, 0, shown.width, shown.height);
  choose(shown.frame);
}

function box(name, kind, corners) {
  const element = document.createElement("div");
  element.className = `crop-box ${kind}`;
  element.tabIndex = 0;
  element.setAttribute("role", "application"); // arrow keys come here, not to a screen reader's own cursor
  element.setAttribute("aria-roledescription", "movable rectangle");
  element.setAttribute("aria-label", name);
  for (const corner of corners) {
    const handle = document.createElement("span");
    handle.dataset.corner = corner;
    element.append(handle);
  }
  const made = { name, element, x: 0, y: 0, w: 0, h: 0 };
  element.addEventListener("focus", () => choose(made));
  element.addEventListener("keydown", (event) => byKey(made, event));
  element.addEventListener("pointerdown", (event) => byPointer(made, event));
  stage.append(element);
  return made;
}

// Where a rectangle lies, in the picture's own pixels; what would stick out is cut.
function place(made, x, y, w, h) {
  made.x = between(0, x, Math.max(0, shown.width - LEAST));
  made.y = between(0, y, Math.max(0, shown.height - LEAST));
  made.w = between(Math.min(LEAST, shown.width), w, shown.width - made.x);
  made.h = between(Math.min(LEAST, shown.height), h, shown.height - made.y);
  const { style } = made.element;
  [style.left, style.width] = [made.x, made.w].map((value) => `${(100 * value) / shown.width}%`);
  [style.top, style.height] = [made.y, made.h].map((value) => `${(100 * value) / shown.height}%`);
  if (made === shown.current) count();
}

function choose(made) {
  shown.current = made;
  for (const each of [shown.frame, ...shown.covers]) each.element.classList.toggle("current", each === made);
  part("which").textContent = made.name;
  part("remove").disabled = made === shown.frame;
  count();
}

function count() {
  const { x, y, w, h } = shown.current;
  [x, y, w, h].forEach((value, at) => { numbers[at].value = value; });
}

let telling = 0;
function tell() {
  clearTimeout(telling); // a held key is told of once, at its end
  telling = setTimeout(() => {
    if (!shown) return;
    const { name, x, y, w, h } = shown.current;
    part("told").textContent = `${name}: ${x} from the left, ${y} from the top, ${w} wide, ${h} high`;
  }, 400);
}

function fault(text) {
  part("fault").textContent = text;
  part("fault").hidden = !text;
}

function byKey(made, event) {
  if (event.key === "Delete" || event.key === "Backspace") return void remove(made);
  if (!(event.key in ARROWS)) return;
  event.preventDefault();
  const step = Math.max(1, Math.round(Math.max(shown.width, shown.height) / 100));
  const [across, down] = ARROWS[event.key].map((way) => way * step);
  if (event.shiftKey) place(made, made.x, made.y, made.w + across, made.h + down);
  else move(made, made.x + across, made.y + down);
  tell();
}

function move(made, x, y) {
  place(made, between(0, x, shown.width - made.w), between(0, y, shown.height - made.h), made.w, made.h);
}

function byPointer(made, event) {
  if (event.button !== 0) return;
  event.preventDefault();
  made.element.focus();
  made.element.setPointerCapture(event.pointerId);
  const scale = shown.width / stage.clientWidth;
  const corner = event.target.dataset.corner || "";
  const from = { ...made, left: event.clientX, top: event.clientY };
  const follow = (moved) => pull(made, from, corner, (moved.clientX - from.left) * scale, (moved.clientY - from.top) * scale);
  const over = () => {
    made.element.removeEventListener("pointermove", follow);
    tell();
  };
  made.element.addEventListener("pointermove", follow);
  for (const end of ["pointerup", "pointercancel"]) made.element.addEventListener(end, over, { once: true });
}

function pull(made, from, corner, across, down) {
  if (!corner) return move(made, from.x + across, from.y + down);
  const [right, bottom] = [from.x + from.w, from.y + from.h];
  const x = corner.includes("w") ? between(0, from.x + across, right - LEAST) : from.x;
  const y = corner.includes("n") ? between(0, from.y + down, bottom - LEAST) : from.y;
  const w = corner.includes("w") ? right - x : from.w + across;
  const h = corner.includes("n") ? bottom - y : from.h + down;
  place(made, x, y, w, h);
}

function cover() {
  const { frame, covers } = shown;
  const made = box(`Cover ${covers.length + 1}`, "crop-cover", ["se"]);
  covers.push(made);
  // Names mostly stand at the top left.
  place(made, frame.x + frame.w * 0.04, frame.y + frame.h * (0.03 + 0.05 * covers.length), frame.w * 0.35, frame.h * 0.12);
  made.element.focus();
  tell();
}

function remove(made) {
  if (made === shown.frame) return;
  made.element.remove();
  shown.covers = shown.covers.filter((each) => each !== made);
  shown.covers.forEach((each, at) => {
    each.name = `Cover ${at + 1}`;
    each.element.setAttribute("aria-label", each.name);
  });
  (shown.covers.at(-1) || shown.frame).element.focus();
}

async function use() {
  const asked = shown;
  const { file, width, height, frame, covers, done } = asked;
  if (!covers.length && frame.w === width && frame.h === height) return dialog.close();
  const button = part("use");
  [button.disabled, button.textContent] = [true, "Cutting…"];
  const blob = await cut(file, frame, covers).catch(() => null);
  [button.disabled, button.textContent] = [false, "Use this"];
  if (shown !== asked) return; // cancelled meanwhile
  if (!blob) return fault("This browser cannot cut a picture of this size. Make it smaller with another program, or choose another one.");
  const name = file.name.replace(/(\.\w+)?$/, blob.type === "image/jpeg" ? ".jpg" : ".png");
  const fresh = new File([blob], name, { type: blob.type, lastModified: Date.now() });
  dialog.close();
  done(fresh, `${frame.w} × ${frame.h} pixels${covers.length ? `, ${covers.length} ${covers.length === 1 ? "part" : "parts"} covered` : ""}`);
}

// The kept part in its full resolution. Only its pixels go into the new file: no metadata, nothing from under a cover.
async function cut(file, frame, covers) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [frame.w, frame.h];
  const paper = canvas.getContext("2d", { willReadFrequently: true }); // in memory: graphics cards have a largest size
  const whole = await createImageBitmap(file);
  paper.fillStyle = "#fff"; // under what is transparent
  paper.fillRect(0, 0, frame.w, frame.h);
  paper.drawImage(whole, -frame.x, -frame.y);
  whole.close();
  paper.fillStyle = "#000";
  for (const each of covers) paper.fillRect(each.x - frame.x, each.y - frame.y, each.w, each.h);
  const photo = file.type === "image/jpeg" || /\.jpe?g$/i.test(file.name);
  const pack = (kind) => new Promise((resolve) => { canvas.toBlob(resolve, kind, QUALITY); });
  const packed = await pack(photo ? "image/jpeg" : "image/png");
  return packed && packed.size > LARGE && !photo ? pack("image/jpeg") : packed;
}

part("cover").addEventListener("click", cover);
part("remove").addEventListener("click", () => remove(shown.current));
part("again").addEventListener("click", () => { begin(); shown.frame.element.focus(); tell(); });
part("use").addEventListener("click", use);
part("cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => { shown = null; });
for (const input of numbers) {
  input.addEventListener("change", () => {
    place(shown.current, ...numbers.map((each) => Number(each.value) || 0));
    tell();
  });
}

// --- the rows of chosen files -------------------------------------------------------------------------------------

function button(text, file, act) {
  const made = document.createElement("button");
  [made.type, made.className, made.textContent] = ["button", "btn btn-sm btn-outline-secondary", text];
  made.setAttribute("aria-label", `${text} ${file.name}`);
  made.addEventListener("click", act);
  return made;
}

function fit(zone) {
  const field = zone.parentElement;
  const [said, note, input] = ["[data-crop-said]", "[data-crop-note]", "input[type=file]"].map((each) => field.querySelector(each));
  note.hidden = false;
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") || ""} ${note.id}`.trim());

  zone.addEventListener("chosen", async ({ detail: { file, row, swap } }) => {
    if (!isPicture(file)) return;
    const made = cuts.get(keyOf(file));
    const buttons = document.createElement("span");
    buttons.className = "crop-buttons";
    const change = (fresh, text) => {
      swap(fresh).querySelector(".crop-buttons button")?.focus();
      said.textContent = text;
    };
    buttons.append(button("Crop…", file, async () => open(file, await look(file), (fresh, what) => {
      cuts.set(keyOf(fresh), { original: made?.original || file });
      change(fresh, `${fresh.name} is now ${what}. What you cut stays on this machine.`);
    })));
    if (made) buttons.append(button("Undo", file, () => change(made.original, `The original ${made.original.name} is back.`)));
    row.classList.add("picture");
    row.lastElementChild.before(buttons);
    try {
      row.prepend(thumbnail((await look(file)).small));
    } catch (error) {
      buttons.remove(); // its name says picture, its content something else: it goes as it is
    }
  });
}

for (const zone of document.querySelectorAll("[data-drop][data-crop]")) fit(zone);
