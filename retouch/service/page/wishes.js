// What the service is asked for, in its own words, where a look says what is wished.

import { album } from "./album.js";
import { EVERYONE, settingsOf } from "./looks.js";
import { row } from "./panel.js";

const APART = new Set(["transfer", "settings"]); // fields that are not named alone

const borrowed = (place, alpha = 0) => ({ source: album.sources[place].id, alpha });

function worded(settings) {
  const wish = {};
  for (const [name, value] of Object.entries(settings)) {
    const { field } = row(name) ?? {};
    if (name === "source") wish.transfer = borrowed(value, settings.transfer);
    else if (field === "mask") wish.mask = { person: value };
    else if (field === "beautify") wish.beautify = value;
    else if (field && !APART.has(field)) (wish[field] ??= {})[name] = value;
  }
  return wish;
}

export function wish(look, more) {
  const everyone = settingsOf(look, EVERYONE);
  const own = Object.entries(look).filter(([face]) => face !== EVERYONE);
  const each = Object.fromEntries(own.map(([face, settings]) => [face, worded(settings)]));
  const { identity } = everyone;
  const settings = identity === undefined ? {} : { identity };
  return { ...worded(everyone), each, settings, judged: false, ...more };
}
