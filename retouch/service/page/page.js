// The page: what its buttons, sliders and keys do to the photo in view.

import { album, change, tell, told } from "./album.js";
import * as api from "./api.js";
import { arrivals, close, prepare, select } from "./arriving.js";
import { at, on } from "./dom.js";
import { lookCloser } from "./faces.js";
import * as film from "./film.js";
import { EVERYONE, settingsOf } from "./looks.js";
import * as panel from "./panel.js";
import { Photo } from "./photos.js";
import { download, saving, wanted } from "./saving.js";
import { follow, refresh, whole } from "./showing.js";
import * as stage from "./stage.js";
import { doing, problem } from "./work.js";

const TAKEN = 0.8; // of an expression, at first

const settings = () => settingsOf(album.current.look, album.current.face);

function settle(row) {
  const { history, look, face } = album.current;
  history.add(look, row && `${face} ${row.name}`);
  tell();
  refresh();
}

function step(back) {
  const { history } = album.current;
  if (back) history.undo();
  else history.redo();
  album.current.look = history.look;
  tell();
  refresh();
}

// --- what the panel does ------------------------------------------------------------

const actions = {
  moved: (row, strength) => {
    const face = row.field === "settings" ? EVERYONE : album.current.face;
    change({ [row.name]: strength }, face);
    follow();
  },
  settled: (row) => settle(row),
  another: (name, off) => {
    change({ [name]: off ? undefined : (settings()[name] ?? 0) + 1 });
    settle();
  },
  source: () => {
    change({ source: undefined, transfer: undefined });
    settle();
  },
};

// Takes over the expression of the largest face in another photo.
async function borrow(file) {
  const source = new Photo(file);
  try {
    source.thumb = await doing("Reading the expression", async (signal, onStep) => {
      await source.find(signal);
      await source.invert(signal, onStep);
      return source.chip(0);
    });
  } catch (error) {
    return told(error, file.name);
  }
  change({ source: album.sources.push(source) - 1, transfer: TAKEN });
  settle();
}

function enhance() {
  const natural = panel.enhancing();
  const none = Object.fromEntries(Object.keys(natural).map((name) => [name]));
  change(panel.enhanced(settings()) ? none : natural);
  settle();
}

// --- saving -------------------------------------------------------------------------

async function save(all) {
  const chosen = all ? album.photos.filter((photo) => !photo.problem) : [album.current];
  await doing(all ? "Saving all" : "Saving in full size", async (signal, onStep) => {
    for (const [i, photo] of chosen.entries()) {
      if (all) onStep(`Saving ${photo.name}, ${i + 1} of ${chosen.length}`, i / chosen.length);
      if (!photo.ready && !(await prepare(photo, signal, () => {}))) continue;
      download(await whole(photo, wanted(), signal), photo);
    }
    problem(chosen.map((photo) => photo.problem).filter(Boolean).join(" "));
  }, 0).catch(told);
}

// --- wiring -------------------------------------------------------------------------

arrivals(actions);
film.wire({
  select, close,
  share: () => { film.share(album.photos, album.current); tell(); },
});
saving(() => album.photos.length, save);
on("source", "change", (event) => {
  if (event.target.files.length) borrow(event.target.files[0]);
  event.target.value = "";
});
on("back", "click", () => close());
on("undo", "click", () => step(true));
on("redo", "click", () => step(false));
on("enhance", "click", enhance);
on("reset", "click", () => {
  album.current.look = {};
  settle();
});
on("zoom-face", "click", lookCloser);
on("theme", "click", () => {
  const { style } = document.documentElement;
  const dark = style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches && "dark");
  style.colorScheme = dark === "dark" ? "light" : "dark";
});
stage.looked(() => {
  if (!album.current?.ready) return;
  album.current.lookAt(stage.visible());
  refresh();
});

const KEYS = {
  o: () => stage.original(true), s: () => stage.splitting(), f: lookCloser, 0: () => stage.fit(),
};
addEventListener("keydown", (event) => {
  if (!album.current || event.target.matches("input:not([type=range]), select, dialog *")) return;
  const key = event.key.toLowerCase();
  if (!event.ctrlKey && !event.metaKey) return KEYS[key]?.();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  step(key === "z" && !event.shiftKey);
});
addEventListener("keyup", (event) => event.key.toLowerCase() === "o" && stage.original(false));
addEventListener("pagehide", () =>
  [...album.photos, ...album.sources].forEach(({ id }) => id && api.forget(id)));
tell();
