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

// What was done, one step after another; a step back leaves the way forth open.
export class History {
  constructor() {
    this.looks = [{}];
    this.place = 0;
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

  add(look) {
    if (same(look, this.look)) return;
    this.looks = [...this.looks.slice(0, this.place + 1), look];
    this.place += 1;
  }

  undo() {
    if (this.canUndo) this.place -= 1;
  }

  redo() {
    if (this.canRedo) this.place += 1;
  }
}
