// The film: every photo that is open, which one is looked at, and the same for all.

import { at, button, show } from "./dom.js";
import { EVERYONE, settingsOf } from "./looks.js";

const tiles = new WeakMap(); // photo -> its tile
let act = null; // what is done: select, close, share
let seen = null; // the photo that was looked at last

export function wire(actions) {
  act = actions;
}

export function tell(photos, current) {
  show("film", photos.length > 1);
  document.body.classList.toggle("several", photos.length > 1);
  const every = photos.map((photo) => {
    const tile = tiles.get(photo) ?? made(photo);
    const [thumb] = tile.children;
    thumb.setAttribute("aria-current", String(photo === current));
    tile.classList.toggle("edited", !photo.plainLook);
    tile.classList.toggle("failed", Boolean(photo.problem));
    thumb.title = photo.problem || photo.name;
    return tile;
  });
  const same = button("same", "Same settings on all photos", () => act.share());
  same.textContent = "Same on all";
  same.disabled = !current || Object.keys(settingsOf(current.look, current.face)).length === 0;
  at("film").replaceChildren(...every, same);
  if (current !== seen && current)
    tiles.get(current).scrollIntoView({ inline: "center", block: "nearest" });
  seen = current;
}

function made(photo) {
  const tile = Object.assign(document.createElement("div"), { className: "tile" });
  const thumb = button("thumb", photo.name, () => act.select(photo));
  const gone = button("gone", `Close ${photo.name}`, () => act.close(photo));
  gone.textContent = "\u00d7";
  tile.append(thumb, gone);
  tiles.set(photo, tile);
  develop(photo);
  return tile;
}

// Puts the photo's small picture on its tile, once there is one.
export async function develop(photo) {
  const blob = await photo.thumb;
  const thumb = tiles.get(photo)?.firstElementChild;
  if (blob && thumb) thumb.style.backgroundImage = `url(${URL.createObjectURL(blob)})`;
}

// Gives every other photo the settings that the chosen face of this one has.
export function share(photos, current) {
  const settings = settingsOf(current.look, current.face);
  for (const photo of photos) {
    if (photo === current) continue;
    photo.look = { [EVERYONE]: settings };
    photo.history.add(photo.look);
  }
}
