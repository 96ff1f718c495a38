// The photo in view as it is wished, and the whole of it to be saved.

import { album, tell, told } from "./album.js";
import * as api from "./api.js";
import { at, decoded, put } from "./dom.js";
import { isPlain, same } from "./looks.js";
import * as stage from "./stage.js";
import { wish } from "./wishes.js";
import { doing, problem, stopped } from "./work.js";

const REST = 250; // milliseconds after which a slider lies still

let drawing = null, again = false;
let moving = 0; // the clock of a slider that does not lie still yet, or 0

// Follows a slider: drafts while it moves, and the picture itself once it lies still.
export function follow() {
  clearTimeout(moving);
  moving = setTimeout(() => {
    moving = 0;
    refresh();
  }, REST);
  refresh();
}

// Shows what is wished, one request at a time; the last wish always gets shown.
export async function refresh() {
  again = true;
  if (drawing) return;
  while (again && album.current?.ready) {
    again = false;
    const { look, area, seen } = album.current;
    const draft = Boolean(moving) && !isPlain(look);
    const known = same([look, area], [seen.look, seen.area]);
    if (known && (draft || !seen.draft)) continue;
    drawing = draw(album.current, look, area, draft);
    await drawing.catch(told);
  }
  drawing = null;
}

async function draw(photo, look, area, draft) {
  try {
    const [plain, shown] = await previewed(photo, look, area, draft);
    photo.seen = { look, area, plain, shown, draft };
    if (photo !== album.current) return;
    await display(photo);
    problem();
  } catch (error) {
    if (!stopped(error)) throw error;
    photo.look = photo.seen.look; // what was stopped is not wished any more
    photo.history.add(photo.look);
  }
  if (photo === album.current) tell();
  if (!draft) counted();
}

function previewed(photo, look, area, draft) {
  return doing(draft ? "Following the slider" : "Retouching", async (signal) => {
    const plain = await photo.original(area, signal);
    if (isPlain(look)) return [plain, plain];
    const words = () => wish(look, { preview: true, draft, area });
    const { blob, faces } = await photo.render(words, api.SEEN, signal, album.sources);
    photo.noted(faces);
    return [plain, blob];
  });
}

// Shows the pictures of a photo, both at once.
export async function display(photo) {
  const { plain, shown, area } = photo.seen;
  const [before, after] = await Promise.all([decoded(plain), decoded(shown)]);
  if (photo !== album.current) return;
  put("before", before);
  put("after", after);
  stage.place(area);
}

// How many pictures have been shown, drafts aside; who waits for the next one looks
// at it.
export function counted() {
  at("after").dataset.count = Number(at("after").dataset.count ?? 0) + 1;
}

// The photo in full size, as it is wished.
export async function whole(photo, { accept, delivery }, signal) {
  const words = () => wish(photo.look, { delivery });
  return (await photo.render(words, accept, signal, album.sources)).blob;
}
