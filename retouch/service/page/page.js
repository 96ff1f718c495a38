// The page: a photo comes in, its faces are inverted once, and sliders move them.

import * as api from "./api.js";
import { camera } from "./camera.js";
import { Board, Slider } from "./sliders.js";
import { at, busy, draggable, drawFaces, picture, problem, show, showTab, split,
  tabbed, tabs } from "./view.js";

const MANY = 4; // faces; of more only the largest is chosen at first
const FIRST = [
  { name: "beautify", label: "Beautify", hint: "Strength of beautifying",
    low: 0, high: 3, step: 0.1 },
  { name: "identity", label: "Identity may move by",
    hint: "How far the identity may move; 0.6 is another person",
    low: 0, high: 0.6, step: 0.02, start: 0.3 },
];
const ALPHA = { name: "alpha", label: "Expression", hint: "How much of it is taken over",
  low: 0, high: 1.5, step: 0.05, start: 0.8 };
const SLOW = {
  edit: "looking for the way; once for each slider",
  transfer: "taking the expression over",
  mask: "painting",
};

let session = null; // the photo, its faces, the id of their latents
let locked = null; // the photo that came before the token
let board = null, alpha = null; // the sliders, once it is known which there are
let rendering = null, waiting = false;

// --- what is done: each mode asks for a picture --------------------------------

const SEEN = "image/webp"; // what every browser shows, transparency included
const delivery = () => ({ strip_location: at("strip").checked });
const chosen = () => [...session.chosen].sort((a, b) => a - b);
const numbers = () => chosen().join(",");
let mode = "edit", source = null, person = 0;

function wish(preview) {
  const { beautify = 0, identity = 0.3, ...moves } = board.values;
  const settings = { faces: numbers(), identity };
  return { id: session.id, beautify, moves, settings, preview, delivery: delivery() };
}

// Of each mode: whether there is anything to do, and the picture, small or whole.
const modes = {
  edit: {
    ready: () => true,
    picture: (accept) => accept ? render(wish(false), accept) : render(wish(true)),
  },
  transfer: {
    ready: () => Boolean(source),
    picture: (accept = SEEN) => api.worked("transfer", { photo: session.photo, source },
      {}, { transfer: JSON.stringify({ alpha: alpha.value, target_face: chosen()[0] }),
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
  showTab(name);
  at("person").textContent = `person ${person}`;
  at("source-name").textContent = source?.name ?? "";
  at("save").disabled = !modes[mode].ready();
  if (session.small) picture("after", session.small);
  refresh();
}

// --- pictures -----------------------------------------------------------------

// Renders what is wished, one request at a time; the last wish always gets shown.
async function refresh() {
  if (!session?.small || !modes[mode].ready()) return;
  waiting = true;
  if (rendering) return;
  while (waiting && session?.small) {
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
  close();
  const mine = session = { photo };
  try {
    await glimpse(mine);
    busy((await api.ready()) ? "finding faces" : "the service is still warming up");
    await known();
    const found = await api.faces(photo);
    if (session !== mine) return;
    const all = found.faces.map((face) => face.index);
    session.found = found;
    session.chosen = new Set(all.length > MANY ? all.slice(0, 1) : all);
    await invert();
    if (session === mine) await begin(mine);
  } catch (error) {
    if (session !== mine) return;
    close();
    if (error.status === 401) locked = photo;
    told(error);
  }
  if (session === mine || !session) busy();
}

// Shows the photo while it is worked on, where the browser itself can read it.
async function glimpse(mine) {
  busy("sending the photo");
  const read = await picture("before", mine.photo).then(() => true, () => false);
  if (!read || session !== mine) return;
  show("welcome", false);
  for (const id of ["view", "fresh"]) show(id);
}

async function begin(mine) {
  const blob = await api.render({ id: mine.id, preview: true });
  if (session !== mine) return;
  mine.small = blob;
  await Promise.all([picture("before", blob), picture("after", blob)]);
  faces();
  const [left, , right] = mine.found.faces[0].box;
  split((50 * (left + right)) / mine.found.width);
  at("pictures").classList.add("done");
  show("welcome", false);
  for (const id of ["view", "panel", "fresh", "sides"]) show(id);
  board.clear();
  turn("edit");
}

async function invert() {
  const mine = session;
  const told = await api.invert(mine.photo, numbers(), busy);
  if (session !== mine) return api.forget(told.id);
  if (session.id) api.forget(session.id);
  session.id = told.id;
  session.inverted = new Set(told.faces.filter((f) => f.inverted).map((f) => f.index));
  session.chosen = new Set([...session.chosen].filter((i) => session.inverted.has(i)));
  const notes = told.faces.filter((f) => f.note).map((f) => `Face ${f.index + 1}: ${f.note}.`);
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
  session = source = null;
  for (const id of ["file", "source"]) at(id).value = "";
  for (const id of ["view", "panel", "fresh", "sides"]) show(id, false);
  at("pictures").classList.remove("done");
  at("faces").replaceChildren();
  show("welcome");
  problem();
  busy();
}

// Asks, once, what the service can do: its modes, and the sliders there are.
async function known() {
  if (board) return;
  const able = await api.verbs();
  for (const tab of tabs()) {
    tab.hidden = tab.dataset.mode !== "edit" && !able.has(tab.dataset.mode);
  }
  const { directions, parameters } = await api.get("v1/directions");
  const named = directions
    .filter(({ name }) => name !== "beauty") // which is what beautify climbs
    .map(({ name, meaning, low, high }) => {
      const label = name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
      return { name, label, hint: `Right is ${meaning}`, low, high, step: 0.1 };
    });
  const axes = parameters
    .filter((name) => name.startsWith("axis:"))
    .map((name) => ({ name, label: name.replace("axis:", "Axis "), low: -3, high: 3,
      hint: "One of the ways in which people differ", step: 0.1 }));
  board = new Board(FIRST, [...named, ...axes], refresh);
  alpha = new Slider(ALPHA, () => {}, refresh);
  at("transfer-sliders").replaceChildren(alpha.element);
}

// --- wiring -----------------------------------------------------------------------

function told(error) {
  if (error.status === 401) show("door");
  problem(error.message);
}

const on = (id, event, act) => at(id).addEventListener(event, act);
on("file", "change", (event) => open(event.target.files[0]));
on("fresh", "click", close);
on("undo", "click", () => board.go(-1));
on("redo", "click", () => board.go(1));
on("reset", "click", () => board.reset());
on("filter", "input", () => board.filter());
on("save", "click", save);
on("source", "change", (event) => { source = event.target.files[0]; turn("transfer"); });
on("another", "click", () => { person += 1; turn("mask"); });
on("door", "submit", (event) => {
  event.preventDefault();
  api.keepToken(at("token").value);
  show("door", false);
  problem();
  open(locked);
});
draggable();
tabbed(turn);
camera(open);
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
  const key = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  if (event.target.matches("input[type=search]") || !session?.small) return;
  event.preventDefault();
  if (mode === "edit") board.go(event.shiftKey || key === "y" ? 1 : -1);
});
addEventListener("pagehide", () => session?.id && api.forget(session.id));
