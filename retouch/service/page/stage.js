// The photo on its stage: zoomed and moved, beside the original, its faces marked.

import { at, on, show } from "./dom.js";

const MOST = 12; // times as large as the whole photo
const STEP = 1.25; // of a key
const HELD = 220; // milliseconds: a press that long shows the original
const NEAR = 8; // pixels: a finger that moves less rests
const TWICE = 320; // milliseconds between two taps
const STILL = 250; // milliseconds without a move, after which details are looked at
const SHARE = 0.5; // of the stage: what a face takes that is zoomed to

const canvas = at("canvas"), image = at("picture"), line = at("line");
let size = { width: 1, height: 1 }; // of the photo, in its pixels
let view = { zoom: 1, x: 0, y: 0 }; // x, y: the middle, off that of the stage
let fitted = { width: 1, height: 1 }; // in pixels of the screen, at zoom 1
let area = [0, 0, 1, 1]; // of the photo, in its pixels: what the pictures show
let onLook = () => {}; // hears once another part is looked at
let looking = 0;
let part = 0.5; // of the stage that shows the original in the split view
let pressed = false; // whether a press that ends now was more than a click

// --- where the photo lies ------------------------------------------------------

export function lay(width, height) {
  size = { width, height };
  place(null);
  resized();
  fit(false);
}

function resized() {
  const pad = canvas.clientWidth < 600 ? 0 : 24;
  const room = [canvas.clientWidth - 2 * pad, canvas.clientHeight - 2 * pad];
  const scale = Math.max(0.01, Math.min(room[0] / size.width, room[1] / size.height));
  fitted = { width: size.width * scale, height: size.height * scale };
  image.style.width = `${fitted.width}px`;
  image.style.height = `${fitted.height}px`;
  put();
}

// Keeps the photo on the stage; where it is smaller than that, in the middle.
function put(smooth = false) {
  view.zoom = Math.min(MOST, Math.max(1, view.zoom));
  const over = (length, room) => Math.max(0, (length * view.zoom - room) / 2);
  const most = [over(fitted.width, canvas.clientWidth), over(fitted.height, canvas.clientHeight)];
  const within = (value, most) => Math.min(most, Math.max(-most, value));
  [view.x, view.y] = [within(view.x, most[0]), within(view.y, most[1])];
  image.classList.toggle("smooth", smooth);
  image.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
  image.style.setProperty("--zoom", view.zoom);
  canvas.classList.toggle("zoomed", view.zoom > 1);
  at("zoom").textContent = `${Math.round((100 * fitted.width * view.zoom) / size.width)} %`;
  divide();
  clearTimeout(looking);
  looking = setTimeout(() => onLook(), STILL);
}

export const looked = (act) => { onLook = act; };

// The part of the photo that can be seen: left, top, right and bottom, in its pixels.
export function visible() {
  const scale = (fitted.width / size.width) * view.zoom;
  const ends = (room, off, length) => [-1, 1].map((side) =>
    Math.min(length, Math.max(0, length / 2 + (side * room / 2 - off) / scale)));
  const [left, right] = ends(canvas.clientWidth, view.x, size.width);
  const [top, bottom] = ends(canvas.clientHeight, view.y, size.height);
  return [left, top, right, bottom];
}

// Lays the pictures where the part of the photo is that they show.
export function place(shown) {
  area = shown ?? [0, 0, size.width, size.height];
  const [left, top, right, bottom] = area;
  const detail = at("detail").style;
  detail.left = `${(100 * left) / size.width}%`;
  detail.top = `${(100 * top) / size.height}%`;
  detail.width = `${(100 * (right - left)) / size.width}%`;
  detail.height = `${(100 * (bottom - top)) / size.height}%`;
  divide();
}

// Zooms so that what is at this place of the screen stays there.
function zoomAt(zoom, place, smooth = false) {
  const next = Math.min(MOST, Math.max(1, zoom));
  const ratio = next / view.zoom;
  const [x, y] = middle(place);
  view = { zoom: next, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
  put(smooth);
}

// A place of the screen, off the middle of the stage.
function middle({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
}

const center = () => {
  const box = canvas.getBoundingClientRect();
  return { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
};

export function fit(smooth = true) {
  view = { zoom: 1, x: 0, y: 0 };
  put(smooth);
}

// Shows a square of the photo as large as a face is looked at.
export function zoomTo([left, top, side]) {
  const scale = fitted.width / size.width;
  const room = Math.min(canvas.clientWidth, canvas.clientHeight);
  const zoom = Math.min(MOST, Math.max(1, (SHARE * room) / (side * scale)));
  const off = (start, length) => (length / 2 - (start + side / 2)) * scale * zoom;
  view = { zoom, x: off(left, size.width), y: off(top, size.height) };
  put(true);
}

const toggleZoom = (place) =>
  view.zoom > 1.01 ? fit() : zoomAt(Math.max(2.5, size.width / fitted.width), place, true);

// --- beside the original ---------------------------------------------------------

export function splitting(split = !canvas.classList.contains("split")) {
  canvas.classList.toggle("split", split);
  at("split").ariaPressed = String(split);
  show("line", split);
  divide();
}

export function original(shown) {
  canvas.classList.toggle("original", shown);
  at("original").ariaPressed = String(shown);
  show("badge", shown);
}

// Cuts the retouched picture off where the line stands, whatever the zoom.
function divide() {
  const x = part * canvas.clientWidth;
  line.style.left = `${x}px`;
  line.ariaValueNow = String(Math.round(100 * part));
  const scale = (fitted.width / size.width) * view.zoom;
  const left = canvas.clientWidth / 2 + view.x + (area[0] - size.width / 2) * scale;
  const cut = Math.max(0, (x - left) / ((area[2] - area[0]) * scale));
  image.style.setProperty("--cut", `${100 * Math.min(1, cut)}%`);
}

function drawn(event) {
  const box = canvas.getBoundingClientRect();
  part = Math.min(0.98, Math.max(0.02, (event.clientX - box.left) / box.width));
  divide();
}

// --- the faces -------------------------------------------------------------------

export function mark(photo, onChoose) {
  at("faces").replaceChildren(...photo.faces.map(({ index, box }) => {
    const [left, top, right, bottom] = box;
    const face = document.createElement("button");
    face.className = "face";
    face.ariaPressed = String(photo.face === String(index));
    face.ariaLabel = photo.called(index);
    face.style.left = `${(100 * left) / photo.width}%`;
    face.style.top = `${(100 * top) / photo.height}%`;
    face.style.width = `${(100 * (right - left)) / photo.width}%`;
    face.style.height = `${(100 * (bottom - top)) / photo.height}%`;
    face.addEventListener("click", () => pressed || onChoose(String(index)));
    return face;
  }));
  at("faces").classList.toggle("one", photo.faces.length === 1);
}

// --- fingers, mouse, wheel and keys ------------------------------------------------

const fingers = new Map(); // those that touch the stage, by their number
let start = null; // where the first came down
let last = { time: -TWICE, clientX: 0, clientY: 0 }; // tap
let hold = 0;

const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
const between = ([a, b]) =>
  ({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });

function down(event) {
  if (event.button > 0 || line.contains(event.target)) return;
  if (event.isPrimary) fingers.clear(); // whatever became of those before
  fingers.set(event.pointerId, event);
  clearTimeout(hold);
  pressed = fingers.size > 1;
  if (fingers.size > 1) return original(false);
  start = { ...middleOf(event), time: event.timeStamp, moved: false };
  hold = setTimeout(() => { pressed = true; original(true); }, HELD);
}

const middleOf = ({ clientX, clientY }) => ({ clientX, clientY });

function move(event) {
  if (!fingers.has(event.pointerId)) return;
  const before = [...fingers.values()].map(middleOf);
  const old = fingers.get(event.pointerId);
  fingers.set(event.pointerId, event);
  if (fingers.size === 2) return pinch(before, [...fingers.values()]);
  if (!start.moved && apart(start, event) < NEAR) return;
  if (!start.moved) canvas.setPointerCapture(event.pointerId);
  start.moved = pressed = true;
  clearTimeout(hold);
  if (canvas.classList.contains("original")) return;
  view = { ...view, x: view.x + event.clientX - old.clientX, y: view.y + event.clientY - old.clientY };
  put();
}

function pinch(before, now) {
  const [old, place] = [between(before), between(now)];
  view = { ...view, x: view.x + place.clientX - old.clientX, y: view.y + place.clientY - old.clientY };
  zoomAt(view.zoom * (apart(...now) / Math.max(1, apart(...before))), place);
}

function up(event) {
  if (!fingers.delete(event.pointerId)) return;
  clearTimeout(hold);
  if (canvas.classList.contains("original")) return original(false);
  if (pressed || event.type === "pointercancel") return;
  const again = event.timeStamp - last.time < TWICE && apart(last, event) < 4 * NEAR;
  last = again ? { ...last, time: -TWICE } : { ...middleOf(event), time: event.timeStamp };
  if (again) toggleZoom(event);
}

const KEYS = {
  "+": () => zoomAt(view.zoom * STEP, center(), true),
  "=": () => zoomAt(view.zoom * STEP, center(), true),
  "-": () => zoomAt(view.zoom / STEP, center(), true),
  0: () => fit(),
  ArrowLeft: () => moveBy(60, 0),
  ArrowRight: () => moveBy(-60, 0),
  ArrowUp: () => moveBy(0, 60),
  ArrowDown: () => moveBy(0, -60),
};

function moveBy(x, y) {
  view = { ...view, x: view.x + x, y: view.y + y };
  put(true);
}

function keyed(event) {
  if (event.target !== canvas || event.ctrlKey || event.metaKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function lineKeyed(event) {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
  if (!step) return;
  event.preventDefault();
  part = Math.min(0.98, Math.max(0.02, part + step));
  divide();
}

canvas.addEventListener("pointerdown", down);
canvas.addEventListener("pointermove", move);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, up);
canvas.addEventListener("keydown", keyed);
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomAt(view.zoom * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event);
}, { passive: false });
line.addEventListener("pointerdown", (event) => line.setPointerCapture(event.pointerId));
line.addEventListener("pointermove", (event) => event.buttons && drawn(event));
line.addEventListener("keydown", lineKeyed);
on("zoom-fit", "click", () => fit());
on("split", "click", () => splitting());
on("original", "click", () => original(!canvas.classList.contains("original")));
new ResizeObserver(resized).observe(canvas);
