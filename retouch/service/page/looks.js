// What is wished of a photo's faces, and the way back through what was wished.
//
// A look holds the settings of everyone under "*", and of faces that have their own
// under their numbers. Settings name what was moved alone: { smile: 0.8, mask: 3 }.

export const EVERYONE = "*";

export const settingsOf = (look, face) => look[face] ?? look[EVERYONE] ?? {};

const moved = (settings) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

// The look after changes to one face; those of everyone are everyone's, whatever the
// faces that have their own settings had. What changes to undefined is as it came.
export function changed(look, face, changes) {
  const after = (settings) => moved({ ...settings, ...changes });
  if (face !== EVERYONE) return { ...look, [face]: after(settingsOf(look, face)) };
  const every = Object.entries({ [EVERYONE]: {}, ...look });
  return Object.fromEntries(every.map(([key, settings]) => [key, after(settings)]));
}

export const isPlain = (look) =>
  Object.values(look).every((settings) => Object.keys(settings).length === 0);

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const MOMENT = 800; // milliseconds

// What was done, one step after another; a step back leaves the way forth open.
export class History {
  constructor() {
    this.looks = [{}];
    this.place = 0;
    this.last = {}; // what was moved in the last step, and when
  }

  get look() {
    return this.looks[this.place];
  }

  get canUndo() {
    return this.place > 0;
  }

  get canRedo() {
    return this.place < this.looks.length - 1;
  }

  // Takes a step; those of one slider a moment after each other, as an arrow key makes
  // them, are one.
  add(look, what) {
    if (same(look, this.look)) return;
    const time = performance.now();
    const joined = what && what === this.last.what && time - this.last.time < MOMENT;
    if (!joined) this.place += 1;
    this.looks = [...this.looks.slice(0, this.place), look];
    this.last = { what, time };
  }

  undo() {
    if (this.canUndo) this.place -= 1;
    this.last = {};
  }

  redo() {
    if (this.canRedo) this.place += 1;
    this.last = {};
  }
}
