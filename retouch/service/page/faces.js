// Whose face: everyone's, or that of one, which is then looked at closely.

import { album, tell, told } from "./album.js";
import { EVERYONE } from "./looks.js";
import { tellPeople } from "./panel.js";
import * as stage from "./stage.js";
import { doing } from "./work.js";

// Marks the faces on the photo and in the panel.
export function mark(photo) {
  stage.mark(photo, choose);
  tellPeople(photo, choose);
}

async function choose(face) {
  const photo = album.current;
  if (face !== EVERYONE && !photo.inverted.has(Number(face)) && photo.ready) {
    await doing("Getting to know the face", (signal, onStep) =>
      photo.invert(signal, onStep, [Number(face)])).catch(told);
  }
  photo.face = photo.faces.length > 1 ? face : EVERYONE;
  mark(photo);
  look(face);
  tell();
}

// Enlarges the chosen face, or shows everyone.
export function look(face = album.current.face) {
  const { faces } = album.current;
  if (!faces.length) return;
  if (face === EVERYONE && faces.length > 1) stage.fit();
  else stage.zoomTo(album.current.square(face === EVERYONE ? 0 : Number(face)));
}

export function lookCloser() {
  const { face } = album.current;
  look(face === EVERYONE ? "0" : face);
}
