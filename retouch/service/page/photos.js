// A photo with what the service knows of it: its faces, the id of their latents.

import * as api from "./api.js";
import { EVERYONE, History, isPlain, same } from "./looks.js";

const MANY = 4; // faces; of more only the largest are inverted at first
const PREVIEW = 1024; // pixels of what is shown, at most: of larger photos a part
const ENOUGH = 0.8; // of the photo, seen at once: then it is shown whole
const AROUND = 0.2; // of what is seen, shown beyond each of its ends
const CHIP = 112; // pixels of a face's small picture
const THUMB = 160; // pixels of the film's

// A small picture of a part of an image; null where the browser cannot read it.
async function small(blob, size, box) {
  try {
    const image = await createImageBitmap(blob);
    const [left, top, side] = box ?? cover(image);
    const canvas = new OffscreenCanvas(size, size);
    canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, size, size);
    return canvas.convertToBlob({ type: "image/webp", quality: 0.85 });
  } catch {
    return null;
  }
}

const longer = ([left, top, right, bottom]) => Math.max(right - left, bottom - top);

const contains = (area, part) =>
  area[0] <= part[0] && area[1] <= part[1] && area[2] >= part[2] && area[3] >= part[3];

function cover({ width, height }) {
  const side = Math.min(width, height);
  return [(width - side) / 2, (height - side) / 3, side];
}

export class Photo {
  constructor(file) {
    this.file = file;
    this.name = file.name || "pasted.png";
    this.history = new History();
    this.look = {}; // as it is being moved; the history has what stayed
    this.face = EVERYONE; // or the number of the one that is chosen
    this.faces = [];
    this.inverted = new Set();
    this.notes = new Map();
    this.problem = ""; // why nothing can be done to it
    this.area = null; // that is looked at; null is the whole photo
    this.seen = {}; // the look and the area that are shown, and their pictures
    this.thumb = small(file, THUMB);
  }

  get ready() {
    return Boolean(this.plain);
  }

  get plainLook() {
    return isPlain(this.look);
  }

  // Finds the faces, the largest first.
  async find(signal) {
    const found = await api.faces(this.file, signal);
    Object.assign(this, { width: found.width, height: found.height, faces: found.faces });
  }

  // What a face is called: by its place, which is seen, and not by its number.
  called(index) {
    const places = [...this.faces].sort((one, other) => one.box[0] - other.box[0]);
    const place = places.findIndex((face) => face.index === index);
    if (places.length === 1) return "The face";
    if (places.length === 2) return place ? "Right face" : "Left face";
    return `Face ${place + 1} from the left`;
  }

  // The square around a face: left, top and side, in pixels of a picture so wide.
  square(index, width = this.width) {
    const [left, top, right, bottom] = this.faces[index].box;
    const scale = width / this.width;
    const side = 1.25 * Math.max(right - left, bottom - top);
    const corner = [(left + right - side) / 2, (top + bottom - side) / 2];
    return [...corner, side].map((length) => length * scale);
  }

  chip(index) {
    return small(this.plain ?? this.file, CHIP, this.square(index, this.shownWidth));
  }

  // Turns faces into latents; those that were chosen before keep theirs.
  async invert(signal, onStep, more = []) {
    const few = this.faces.slice(0, MANY).map((face) => face.index);
    const wanted = new Set([...few, ...this.inverted, ...more]);
    const numbers = [...wanted].sort((a, b) => a - b).join(",");
    const step = (words, part) => onStep("Getting to know the face", part);
    const told = await api.invert(this.file, numbers, signal, step);
    this.forget();
    this.id = told.id;
    this.inverted = new Set(told.faces.filter((f) => f.inverted).map((f) => f.index));
    this.noted(told.faces);
  }

  // Shows the photo as it came, as small as every picture that is shown after it.
  async begin(signal) {
    const { blob } = await api.render({ id: this.id, preview: true }, api.SEEN, signal);
    const { width } = await createImageBitmap(blob);
    const seen = { look: {}, area: null, plain: blob, shown: blob };
    Object.assign(this, { plain: blob, seen, shownWidth: width });
    this.thumb = small(blob, THUMB);
  }

  // The photo as it came, where it is looked at.
  async original(area, signal) {
    if (!area) return this.plain;
    if (same(area, this.seen.area)) return this.seen.plain;
    return (await this.render(() => ({ area, preview: true }), api.SEEN, signal)).blob;
  }

  // Takes note of which part is looked at; of a large photo that part alone is shown.
  lookAt(visible) {
    const [left, top, right, bottom] = visible;
    const seen = Math.max(right - left, bottom - top);
    const whole = Math.max(this.width, this.height);
    if (whole <= PREVIEW || seen > ENOUGH * whole) return (this.area = null);
    if (this.area && contains(this.area, visible) && longer(this.area) < 2 * seen) return;
    const more = AROUND * seen;
    this.area = [
      Math.max(0, left - more), Math.max(0, top - more),
      Math.min(this.width, right + more), Math.min(this.height, bottom + more),
    ].map(Math.round);
  }

  noted(faces) {
    for (const { index, note } of faces) this.notes.set(index, note);
  }

  // The picture of a look; faces whose time is over are inverted anew, once, and so are
  // those of the `sources` of expressions.
  async render(words, accept, signal, sources = []) {
    const asked = () => api.render({ id: this.id, ...words() }, accept, signal);
    try {
      return await asked();
    } catch (error) {
      if (error.status !== 404) throw error;
      for (const photo of [this, ...sources]) await photo.invert(signal, () => {});
      return asked();
    }
  }

  forget() {
    if (this.id) api.forget(this.id);
    this.id = undefined;
  }
}
