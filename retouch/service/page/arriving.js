// Photos come in by many ways; their faces are found and inverted, once.

import { album, named, tell } from "./album.js";
import * as api from "./api.js";
import { camera } from "./camera.js";
import { at, decoded, empty, on, put } from "./dom.js";
import * as faces from "./faces.js";
import * as film from "./film.js";
import * as panel from "./panel.js";
import { Photo } from "./photos.js";
import { counted, display, refresh } from "./showing.js";
import * as stage from "./stage.js";
import { doing, problem, stopped } from "./work.js";

let locked = []; // the photos that came before the token
let actions = null; // of the panel, which is built once the service tells of itself

export async function open(files) {
  const fresh = [...files].map((file) => new Photo(file));
  if (!fresh.length) return;
  album.photos = [...album.photos, ...fresh];
  await select(fresh[0]);
}

export async function select(photo) {
  album.current = photo;
  problem(photo.problem);
  stage.original(false);
  faces.mark(photo);
  tell();
  if (!photo.ready) empty("before", "after");
  await glimpse(photo);
  if (photo.ready) return shown(photo);
  if (photo.problem || photo.preparing) return;
  photo.preparing = true;
  await doing("Sending the photo", (signal, onStep) => prepare(photo, signal, onStep), 0);
  photo.preparing = false;
}

// Shows the photo while it is worked on, where the browser itself can read it.
async function glimpse(photo) {
  at("canvas").classList.add("waiting");
  const read = await decoded(photo.plain ?? photo.file).catch(() => null);
  if (photo !== album.current) return;
  at("canvas").classList.toggle("unread", !read);
  if (!read) return;
  put("whole", read);
  await at("whole").decode();
  stage.lay(at("whole").naturalWidth, at("whole").naturalHeight);
}

// Finds the faces and inverts them; tells whether there are any to work on.
export async function prepare(photo, signal, onStep) {
  try {
    onStep((await api.ready()) ? "Finding faces" : "The service is still warming up");
    if (!panel.built()) panel.build(await api.sliders(), actions);
    await photo.find(signal);
    if (photo === album.current) found(photo);
    await photo.invert(signal, onStep);
    await photo.begin(signal);
  } catch (error) {
    failed(photo, error);
    return false;
  }
  if (!album.photos.includes(photo)) photo.forget();
  film.develop(photo);
  if (photo === album.current) await shown(photo);
  return true;
}

function found(photo) {
  if (at("canvas").classList.contains("unread")) stage.lay(photo.width, photo.height);
  tell();
  faces.mark(photo);
  faces.look();
}

async function shown(photo) {
  const whole = await decoded(photo.plain);
  if (photo !== album.current) return;
  put("whole", whole);
  stage.lay(photo.width, photo.height);
  await display(photo);
  if (photo !== album.current) return;
  at("canvas").classList.remove("waiting", "unread");
  faces.mark(photo);
  faces.look();
  tell();
  counted();
  refresh();
}

function failed(photo, error) {
  if (error.status === 401) return lock();
  if (stopped(error)) return close(photo);
  photo.problem = named(error, photo.name);
  tell();
  if (photo !== album.current) return;
  problem(photo.problem);
  at("canvas").classList.remove("waiting");
}

// Asks for the token; the photos come again once it is there.
function lock() {
  if (at("door").open) return;
  locked = album.photos.map(({ file }) => file);
  Object.assign(album, { photos: [], current: null });
  tell();
  at("door").showModal();
}

export function close(photo = album.current) {
  photo.forget();
  const place = album.photos.indexOf(photo);
  album.photos = album.photos.filter((other) => other !== photo);
  if (photo !== album.current) return tell();
  album.current = album.photos[Math.min(place, album.photos.length - 1)] ?? null;
  problem();
  empty("whole", "before", "after");
  if (album.current) select(album.current);
  else tell();
}

// --- the ways in ------------------------------------------------------------------

export function arrivals(panelActions) {
  actions = panelActions;
  for (const id of ["choose", "add"]) on(id, "click", () => at("file").click());
  on("file", "change", (event) => {
    open(event.target.files);
    event.target.value = "";
  });
  on("try", "click", sample);
  camera((photo) => open([photo]));
  on("door", "close", () => {
    api.keepToken(at("token").value);
    if (at("token").value) open(locked);
    else problem("Without its token the service does nothing.");
  });
  addEventListener("paste", ({ clipboardData }) =>
    open([...clipboardData.files].filter((file) => file.type.startsWith("image/"))));
  dropped();
}

async function sample() {
  const blob = await (await fetch("sample.jpg")).blob();
  open([new File([blob], "astronaut.jpg", { type: blob.type })]);
}

function dropped() {
  const over = (is) => at("stage").classList.toggle("over", is);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || over(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    open(event.dataTransfer.files);
  });
}
