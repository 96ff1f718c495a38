// The page: a photo comes in, its faces are inverted once, and sliders move them.

import * as api from "./api.js";
import { Slider, at, busy, draggable, drawFaces, picture, problem, show, split }
  from "./view.js";

const MANY = 4; // faces; of more only the largest is chosen at first
const SHOWN = 24; // sliders shown at once, besides those that were moved
const FIRST = [
  { name: "beautify", label: "Strength of beautifying", low: 0, high: 3, step: 0.1 },
  { name: "identity", label: "How far the identity may move; 0.6 is another person",
    low: 0, high: 0.6, step: 0.02, start: 0.3 },
];

const ALPHA = { name: "alpha", label: "How much of the expression", low: 0, high: 1.5,
  step: 0.05, start: 0.8 };
const SLOW = {
  edit: "looking for the way; once for each slider",
  transfer: "taking the expression over",
  mask: "painting",
};

let session = null; // the photo, its faces, the id of their latents
let sliders = new Map();
let history = [{}];
let now = 0; // the place in the history
let rendering = null, waiting = false;

// --- what is wished ---------------------------------------------------------

const edits = () => [...sliders.values()].filter((s) => s.name !== "alpha");
const state = () => Object.fromEntries(
  edits().filter((s) => s.value !== s.start).map((s) => [s.name, s.value]),
);

function wish(preview) {
  const { beautify = 0, identity = 0.3, ...moves } = state();
  const settings = { faces: numbers(), identity };
  return { id: session.id, beautify, moves, settings, preview, delivery: delivery() };
}

function put(values) {
  for (const slider of edits()) {
    slider.value = values[slider.name] ?? slider.start;
  }
  filter();
  refresh();
}

function remember() {
  const values = state();
  if (JSON.stringify(values) === JSON.stringify(history[now])) return;
  history = [...history.slice(0, now + 1), values];
  now = history.length - 1;
  buttons();
}

function go(step) {
  if (!history[now + step]) return;
  now += step;
  put(history[now]);
  buttons();
}

function buttons() {
  at("undo").disabled = now === 0;
  at("redo").disabled = now === history.length - 1;
}

// --- what is done: each mode asks for a picture --------------------------------

const SEEN = "image/webp"; // what every browser shows, transparency included
const delivery = () => ({ strip_location: at("strip").checked });
const numbers = () => [...session.chosen].sort((a, b) => a - b).join(",");
let mode = "edit", source = null, person = 0;

// Of each mode: whether there is anything to do, and the picture, small or whole.
const modes = {
  edit: {
    ready: () => Boolean(session.id),
    picture: (accept) => accept ? render(wish(false), accept) : render(wish(true)),
  },
  transfer: {
    ready: () => Boolean(source),
    picture: (accept = SEEN) => api.worked("transfer", { photo: session.photo, source },
      {}, { transfer: JSON.stringify({ alpha: sliders.get("alpha").value }),
        delivery: JSON.stringify(delivery()) }, accept),
  },
  mask: {
    ready: () => true,
    picture: (accept = SEEN) => api.worked("mask", { photo: session.photo },
      { faces: numbers() }, { mask: JSON.stringify({ person }),
        delivery: JSON.stringify(delivery()) }, accept),
  },
};

function turn(name) {
  mode = name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.ariaSelected = String(tab.dataset.mode === name);
    show(tab.dataset.mode, tab.dataset.mode === name);
  }
  at("person").textContent = `number ${person}`;
  if (session.small) picture("after", session.small);
  refresh();
}

// --- pictures -----------------------------------------------------------------

// Renders what is wished, one request at a time; the last wish always gets shown.
async function refresh() {
  if (!session?.id || !modes[mode].ready()) return;
  waiting = true;
  if (rendering) return;
  while (waiting && session?.id) {
    waiting = false;
    rendering = draw(session, mode);
    const slow = setTimeout(() => busy(SLOW[mode]), 700);
    await rendering.catch(told);
    clearTimeout(slow);
    busy();
  }
  rendering = null;
}

async function draw(asked, how) {
  const blob = await modes[how].picture();
  if (session !== asked || how !== mode) return;
  await picture("after", blob);
  at("after").dataset.count = Number(at("after").dataset.count ?? 0) + 1;
  problem();
}

// Asks for a picture; faces whose time is over are inverted anew, once.
async function render(asked, accept) {
  try {
    return await api.render(asked, accept);
  } catch (error) {
    if (error.status !== 404) throw error;
    await invert();
    return api.render({ ...asked, id: session.id }, accept);
  }
}

async function save() {
  busy("working in full resolution");
  at("save").disabled = true;
  try {
    const blob = await modes[mode].picture(at("format").value);
    const link = document.createElement("a");
    const stem = session.photo.name.replace(/\.[^.]*$/, "") || "photo";
    const suffix = blob.type.split("/")[1].replace("jpeg", "jpg").replace("tiff", "tif");
    link.download = `${stem}-retouched.${suffix}`;
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    problem();
  } catch (error) {
    told(error);
  }
  at("save").disabled = false;
  busy();
}

// --- a photo comes in ---------------------------------------------------------

async function open(photo) {
  if (!photo) return;
  problem();
  busy("sending the photo");
  if (session?.id) api.forget(session.id);
  session = { photo };
  const mine = session;
  try {
    await known();
    const found = await api.faces(photo);
    if (session !== mine) return;
    const all = found.faces.map((face) => face.index);
    session.found = found;
    session.chosen = new Set(all.length > MANY ? all.slice(0, 1) : all);
    await invert();
    if (session !== mine) return;
    [history, now] = [[{}], 0];
    source = null;
    turn("edit");
    put({});
    buttons();
    await begin();
  } catch (error) {
    if (session === mine) session = null;
    told(error);
  }
  busy();
}

async function begin() {
  const blob = await api.render({ id: session.id, preview: true });
  session.small = blob;
  await Promise.all([picture("before", blob), picture("after", blob)]);
  faces();
  const [left, , right] = session.found.faces[0].box;
  split((50 * (left + right)) / session.found.width);
  show("welcome", false);
  for (const id of ["view", "panel", "fresh"]) show(id);
}

async function invert() {
  const told = await api.invert(session.photo, numbers(), busy);
  if (session.id) api.forget(session.id);
  session.id = told.id;
  session.inverted = new Set(told.faces.filter((f) => f.inverted).map((f) => f.index));
  session.chosen = new Set([...session.chosen].filter((i) => session.inverted.has(i)));
  const notes = told.faces.filter((f) => f.note).map((f) => `Face ${f.index}: ${f.note}.`);
  at("notes").textContent = notes.join(" ");
}

function faces() {
  drawFaces(session.found, session.chosen, choose);
}

async function choose(index) {
  const { chosen } = session;
  if (!chosen.delete(index)) chosen.add(index);
  if (chosen.size === 0) chosen.add(index);
  try {
    if (![...chosen].every((i) => session.inverted.has(i))) await invert();
    problem();
  } catch (error) {
    chosen.delete(index);
    told(error);
  }
  busy();
  faces();
  refresh();
}

function close() {
  if (session?.id) api.forget(session.id);
  session = null;
  at("file").value = "";
  for (const id of ["view", "panel", "fresh"]) show(id, false);
  show("welcome");
  problem();
}

// --- sliders --------------------------------------------------------------------

async function known() {
  if (sliders.size) return;
  const able = await api.verbs();
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.hidden = tab.dataset.mode !== "edit" && !able.has(tab.dataset.mode);
  }
  const { directions, parameters } = await api.get("v1/directions");
  const named = directions
    .filter(({ name }) => name !== "beauty") // which is what beautify climbs
    .map(({ name, meaning, low, high }) =>
      ({ name, label: `Right is ${meaning}`, low, high, step: 0.1 }));
  const axes = parameters
    .filter((name) => name.startsWith("axis:"))
    .map((name) => ({ name, label: "A latent axis", low: -3, high: 3, step: 0.1 }));
  const all = [...FIRST, ...named, ...axes];
  sliders = new Map(all.map((row) => [row.name, new Slider(row, refresh, remember)]));
  const alpha = new Slider(ALPHA, () => {}, refresh);
  at("transfer-sliders").replaceChildren(alpha.element);
  sliders.set(ALPHA.name, alpha);
  at("main-sliders").replaceChildren(...FIRST.map(({ name }) => sliders.get(name).element));
  filter();
}

function filter() {
  const words = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rest = edits().slice(FIRST.length);
  const fits = rest.filter((s) =>
    words.length === 0 || words.some((word) => s.name.includes(word)));
  const shown = new Set([
    ...fits.slice(0, SHOWN),
    ...rest.filter((s) => s.value !== s.start),
  ]);
  at("sliders").replaceChildren(
    ...rest.filter((s) => shown.has(s)).map((s) => s.element));
  const hidden = rest.length - shown.size;
  at("more").textContent = hidden ? `${hidden} more: type their name above.` : "";
}

// --- the camera -------------------------------------------------------------------

async function camera() {
  try {
    const video = { facingMode: "user", width: { ideal: 1920 } };
    at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video });
    at("booth").showModal();
  } catch {
    problem("There is no camera that this page may use; choose a photo instead.");
  }
}

function snap() {
  const video = at("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    at("booth").close();
    open(new File([blob], "camera.jpg", { type: blob.type }));
  }, "image/jpeg", 0.95);
}

function dark() {
  for (const track of at("video").srcObject?.getTracks() ?? []) track.stop();
  at("video").srcObject = null;
}

// --- wiring -----------------------------------------------------------------------

function told(error) {
  if (error.status === 401) show("door");
  problem(error.message);
}

const on = (id, event, act) => at(id).addEventListener(event, act);
on("file", "change", (event) => open(event.target.files[0]));
on("camera", "click", camera);
on("snap", "click", snap);
on("leave", "click", () => at("booth").close());
on("booth", "close", dark);
on("fresh", "click", close);
on("undo", "click", () => go(-1));
on("redo", "click", () => go(1));
on("reset", "click", () => { put({}); remember(); });
on("filter", "input", filter);
on("save", "click", save);
on("source", "change", (event) => { source = event.target.files[0]; refresh(); });
on("another", "click", () => { person += 1; turn("mask"); });
for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", () => turn(tab.dataset.mode));
}
on("door", "submit", (event) => {
  event.preventDefault();
  api.keepToken(at("token").value);
  show("door", false);
  problem();
});
draggable();
buttons();
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
  if (file) open(file);
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("stage").classList.add("over");
});
addEventListener("dragleave", () => at("stage").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  at("stage").classList.remove("over");
  open(event.dataTransfer.files[0]);
});
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  if (event.target.matches("input[type=search]") || !session?.id) return;
  event.preventDefault();
  go(event.shiftKey ? 1 : -1);
});
addEventListener("pagehide", () => session?.id && api.forget(session.id));
