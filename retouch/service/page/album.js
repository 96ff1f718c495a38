// The photos that are open, the one in view, and all that is told of them.

import { at, show } from "./dom.js";
import * as film from "./film.js";
import { changed } from "./looks.js";
import * as panel from "./panel.js";
import { problem, stopped } from "./work.js";

export const album = {
  photos: [],
  current: null, // the photo in view
  sources: [], // photos whose expressions are taken over
};

export function tell() {
  const { photos, current, sources } = album;
  document.body.classList.toggle("empty", !current);
  show("welcome", !current);
  for (const id of ["canvas", "panel"]) show(id, Boolean(current));
  film.tell(photos, current);
  at("name").textContent = current?.name ?? "";
  if (!current) return;
  at("save").disabled = !current.ready;
  panel.tell(current, sources);
}

// Tells what went wrong, with the name of the file unless that is in the sentence.
export function told(error, name = "") {
  if (!stopped(error)) problem(named(error, name));
}

export const named = ({ message }, name) =>
  !name || message.includes(name) ? message : `${name}: ${message}`;

// Changes the settings of the chosen face, or of another.
export function change(changes, face = album.current.face) {
  album.current.look = changed(album.current.look, face, changes);
}
