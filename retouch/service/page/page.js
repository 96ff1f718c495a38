// The page: photos come in, their faces are inverted once, and sliders move them.

import * as api from "./api.js";
import { camera } from "./camera.js";
import { at, on, picture, show } from "./dom.js";
import * as film from "./film.js";
import { changed, EVERYONE, same, settingsOf } from "./looks.js";
import * as panel from "./panel.js";
import { Photo } from "./photos.js";
import { download, saving, wanted } from "./saving.js";
import * as stage from "./stage.js";
import { doing, problem, stopped } from "./work.js";

const TAKEN = 0.8; // of an expression, at first

let photos = [], current = null;
let locked = null; // the photos that came before the token
const sources = []; // photos whose expressions are taken over

// --- what is wished ----------------------------------------------------------------

// What the service is asked for, for settings of a face.
function worded(settings) {
  const wish = {};
  for (const [name, value] of Object.entries(settings)) {
    const { field } = panel.row(name) ?? {};
    if (name === "source") wish.transfer = { source: sources[value].id, alpha: settings.transfer };
    else if (field === "mask") wish.mask = { person: value };
    else if (field === "beautify") wish.beautify = value;
    else if (field === "moves" || field === "skin") (wish[field] ??= {})[name] = value;
  }
  return wish;
}

function wish(photo, look, more) {
  const everyone = settingsOf(look, EVERYONE);
  const own = Object.entries(look).filter(([face]) => face !== EVERYONE);
  const each = Object.fromEntries(own.map(([face, settings]) => [face, worded(settings)]));
  const { identity } = everyone;
  const settings = identity === undefined ? {} : { identity };
  return { ...worded(everyone), each, settings, judged: false, ...more };
}

function put(changes, face = current.face) {
  current.look = changed(current.look, face, changes);
}

function settle() {
  current.history.add(current.look);
  tell();
  refresh();
}

function went() {
  current.look = current.history.look;
  tell();
  refresh();
}

function tell() {
  document.body.classList.toggle("empty", !current);
  show("welcome", !current);
  for (const id of ["canvas", "panel"]) show(id, Boolean(current));
  film.tell(photos, current, { select, close, share });
  if (!current) return;
  at("name").textContent = current.name;
  at("save").disabled = !current.ready;
  panel.tell(current, sources);
}

// --- pictures -----------------------------------------------------------------------

let drawing = null, again = false;

// Shows what is wished, one request at a time; the last wish always gets shown.
async function refresh() {
  again = true;
  if (drawing) return;
  while (again && current?.ready) {
    again = false;
    if (same(current.look, current.seen)) continue;
    drawing = draw(current, current.look);
    await drawing.catch(told);
  }
  drawing = null;
}

async function draw(photo, look) {
  try {
    photo.shown = photo.plainLook ? photo.plain : await previewed(photo, look);
    photo.seen = look;
    if (photo !== current) return;
    await picture("after", photo.shown);
    problem();
  } catch (error) {
    if (!stopped(error)) throw error;
    photo.look = photo.seen; // what was stopped is not wished any more
    photo.history.add(photo.look);
  }
  if (photo === current) tell();
  counted();
}

// How many pictures have been shown; who waits for the next one looks at it.
function counted() {
  at("after").dataset.count = Number(at("after").dataset.count ?? 0) + 1;
}

const previewed = (photo, look) => doing("Retouching", async (signal) => {
  const words = () => wish(photo, look, { preview: true });
  const { blob, faces } = await photo.render(words, api.SEEN, signal);
  photo.noted(faces);
  return blob;
});

async function save(all) {
  const chosen = all ? photos.filter((photo) => !photo.problem) : [current];
  await doing(all ? "Saving all" : "Saving in full size", async (signal, onStep) => {
    for (const [i, photo] of chosen.entries()) {
      if (all) onStep(`Saving ${photo.name}, ${i + 1} of ${chosen.length}`, i / chosen.length);
      if (!photo.ready && !(await prepare(photo, signal, () => {}))) continue;
      const { accept, delivery } = wanted();
      const words = () => wish(photo, photo.look, { delivery });
      const { blob } = await photo.render(words, accept, signal);
      download(blob, photo);
    }
    problem(photos.filter(({ problem }) => problem).map(({ problem }) => problem).join(" "));
  }, 0).catch(told);
}

// --- photos come in -------------------------------------------------------------------

async function open(files) {
  const fresh = [...files].map((file) => new Photo(file));
  if (!fresh.length) return;
  photos = [...photos, ...fresh];
  await select(fresh[0]);
}

async function select(photo) {
  current = photo;
  problem(photo.problem);
  stage.original(false);
  stage.mark(photo, choose);
  panel.tellPeople(photo, choose);
  tell();
  await glimpse(photo);
  if (photo.ready) return shown(photo);
  if (photo.problem || photo.preparing) return;
  photo.preparing = doing("Sending the photo", (signal, onStep) => prepare(photo, signal, onStep),
    0).catch((error) => failed(photo, error));
  await photo.preparing;
  photo.preparing = null;
}

// Shows the photo while it is worked on, where the browser itself can read it.
async function glimpse(photo) {
  const blob = photo.plain ?? photo.file;
  at("canvas").classList.add("waiting");
  const read = await picture("before", blob).then(() => true, () => false);
  at("canvas").classList.toggle("unread", !read);
  if (photo !== current || !read) return;
  stage.lay(at("before").naturalWidth, at("before").naturalHeight);
}

// Finds the faces and inverts them; tells whether there are any to work on.
async function prepare(photo, signal, onStep) {
  try {
    onStep((await api.ready()) ? "Finding faces" : "The service is still warming up");
    if (!panel.built()) panel.build(await api.sliders(), actions);
    await photo.find(signal);
    found(photo);
    await photo.invert(signal, onStep);
    await photo.begin(signal);
  } catch (error) {
    failed(photo, error);
    return false;
  }
  film.develop(photo);
  if (photo === current) await shown(photo);
  return true;
}

function found(photo) {
  if (photo !== current) return;
  stage.mark(photo, choose);
  panel.tellPeople(photo, choose);
  toFace();
}

async function shown(photo) {
  at("canvas").classList.remove("waiting", "unread");
  await Promise.all([picture("before", photo.plain), picture("after", photo.shown)]);
  if (photo !== current) return;
  stage.lay(photo.width, photo.height);
  stage.mark(photo, choose);
  panel.tellPeople(photo, choose);
  toFace();
  tell();
  counted();
  refresh();
}

function failed(photo, error) {
  if (error.status === 401) {
    locked = photos.map(({ file }) => file);
    photos.forEach(close);
    return at("door").showModal();
  }
  if (stopped(error)) return close(photo);
  photo.problem = `${photo.name}: ${error.message}`;
  if (photo === current) problem(photo.problem);
  tell();
}

function close(photo = current) {
  photo.forget();
  const place = photos.indexOf(photo);
  photos = photos.filter((other) => other !== photo);
  if (photo !== current) return tell();
  current = photos[Math.min(place, photos.length - 1)] ?? null;
  problem();
  at("before").removeAttribute("src");
  at("after").removeAttribute("src");
  if (current) select(current);
  else tell();
}

function share() {
  film.share(photos, current);
  tell();
}

// --- whose face ----------------------------------------------------------------------

async function choose(face) {
  const photo = current;
  if (face !== EVERYONE && !photo.inverted.has(Number(face)) && photo.ready) {
    await doing("Getting to know the face", (signal, onStep) =>
      photo.invert(signal, onStep, [Number(face)])).catch(told);
  }
  photo.face = photo.faces.length > 1 ? face : EVERYONE;
  stage.mark(photo, choose);
  panel.tellPeople(photo, choose);
  toFace(face);
  tell();
}

function toFace(face = current.face) {
  if (!current?.faces.length) return;
  if (face === EVERYONE && current.faces.length > 1) return stage.fit();
  stage.zoomTo(current.square(face === EVERYONE ? 0 : Number(face)));
}

// --- what the panel does ----------------------------------------------------------------

const actions = {
  moved: (row, strength) => {
    put({ [row.name]: strength }, row.field === "settings" ? EVERYONE : current.face);
    refresh();
  },
  settled: settle,
  another: (name, off) => {
    const last = settingsOf(current.look, current.face)[name];
    put({ [name]: off ? undefined : (last ?? 0) + 1 });
    settle();
  },
  source: () => {
    put({ source: undefined, transfer: undefined });
    settle();
  },
};

async function borrow(file) {
  if (!file) return;
  const source = new Photo(file);
  const known = await doing("Reading the expression", async (signal, onStep) => {
    await source.find(signal);
    await source.invert(signal, onStep);
    return source.chip(0);
  }).catch((error) => told(error, file.name));
  if (known === undefined) return;
  put({ source: sources.push({ ...source, id: source.id, thumb: known }) - 1, transfer: TAKEN });
  settle();
}

function enhance() {
  const wanted = panel.enhancing();
  const off = panel.enhanced(settingsOf(current.look, current.face));
  put(off ? Object.fromEntries(Object.keys(wanted).map((name) => [name])) : wanted);
  settle();
}

function step(back) {
  if (!current) return;
  if (back) current.history.undo();
  else current.history.redo();
  went();
}

function told(error, name) {
  if (!stopped(error)) problem(name ? `${name}: ${error.message}` : error.message);
}

// --- wiring -----------------------------------------------------------------------------

const chooser = () => at("file").click();
on("choose", "click", chooser);
on("add", "click", chooser);
on("file", "change", (event) => {
  open(event.target.files);
  event.target.value = "";
});
on("source", "change", (event) => {
  borrow(event.target.files[0]);
  event.target.value = "";
});
on("try", "click", async () => {
  const blob = await (await fetch("sample.jpg")).blob();
  open([new File([blob], "astronaut.jpg", { type: blob.type })]);
});
on("back", "click", () => close());
on("undo", "click", () => step(true));
on("redo", "click", () => step(false));
on("enhance", "click", enhance);
on("reset", "click", () => {
  current.look = {};
  settle();
});
on("zoom-face", "click", () => toFace(current.face === EVERYONE ? "0" : current.face));
on("theme", "click", () => {
  const dark = getComputedStyle(document.body).colorScheme === "dark"
    || matchMedia("(prefers-color-scheme: dark)").matches && !document.documentElement.style.colorScheme;
  document.documentElement.style.colorScheme = dark ? "light" : "dark";
});
at("door").addEventListener("close", () => {
  api.keepToken(at("token").value);
  open(locked);
});
saving(() => photos.length, save);
camera((photo) => open([photo]));

addEventListener("paste", (event) => {
  open([...event.clipboardData.files].filter((file) => file.type.startsWith("image/")));
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("stage").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) at("stage").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  at("stage").classList.remove("over");
  open(event.dataTransfer.files);
});

const KEYS = {
  o: () => stage.original(true), s: () => stage.splitting(),
  f: () => toFace(current.face === EVERYONE ? "0" : current.face), 0: () => stage.fit(),
};
addEventListener("keydown", (event) => {
  if (!current || event.target.matches("input:not([type=range]), select, dialog *")) return;
  const key = event.key.toLowerCase();
  if (!event.ctrlKey && !event.metaKey) return KEYS[key]?.();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  step(key === "z" && !event.shiftKey);
});
addEventListener("keyup", (event) => event.key.toLowerCase() === "o" && stage.original(false));
addEventListener("pagehide", () => [...photos, ...sources].forEach(({ id }) => id && api.forget(id)));
tell();
