// The sliders: what is wished by them, which of them are shown, and the way back.

import { at } from "./view.js";

const SHOWN = 24; // shown at once, besides those that were moved

// One slider; `onInput` as it moves, `onChange` once it is let go.
export class Slider {
  constructor({ name, label, hint, low, high, step, start = 0 }, onInput, onChange) {
    Object.assign(this, { name, start, low, high });
    this.element = document.createElement("label");
    this.element.className = "slider";
    this.element.title = `${hint}; a double click sets it back`;
    const words = document.createElement("span");
    words.textContent = label;
    this.told = document.createElement("output");
    this.input = document.createElement("input");
    Object.assign(this.input, { type: "range", min: low, max: high, step });
    this.input.name = name;
    this.value = start;
    this.input.addEventListener("input", () => (this.tell(), onInput(this)));
    this.input.addEventListener("change", () => onChange(this));
    this.input.addEventListener("dblclick", () => {
      this.value = this.start;
      onInput(this);
      onChange(this);
    });
    this.element.append(words, this.told, this.input);
  }

  get value() {
    return Number(this.input.value);
  }

  set value(value) {
    this.input.value = value;
    this.tell();
  }

  get moved() {
    return this.value !== this.start;
  }

  // The track is filled from nothing to the value, to either side.
  tell() {
    this.told.textContent = this.value.toFixed(2).replace(/0$/, "");
    this.element.classList.toggle("moved", this.moved);
    const part = (value) => (value - this.low) / (this.high - this.low);
    const ends = [part(Math.max(0, this.low)), part(this.value)].sort((a, b) => a - b);
    this.input.style.setProperty("--from", ends[0]);
    this.input.style.setProperty("--to", ends[1]);
  }
}

// The sliders of the edits: the first always shown, the rest by the filter.
export class Board {
  constructor(first, rest, onInput) {
    this.onInput = onInput;
    const made = (row) => new Slider(row, onInput, () => this.remember());
    [this.first, this.rest] = [first.map(made), rest.map(made)];
    at("main-sliders").replaceChildren(...this.first.map((s) => s.element));
    this.clear();
  }

  // What differs from the start, by the names of the sliders.
  get values() {
    const every = [...this.first, ...this.rest];
    return Object.fromEntries(every.filter((s) => s.moved).map((s) => [s.name, s.value]));
  }

  set values(values) {
    for (const slider of [...this.first, ...this.rest]) {
      slider.value = values[slider.name] ?? slider.start;
    }
    this.filter();
  }

  clear() {
    [this.history, this.now] = [[{}], 0];
    this.values = {};
    this.tell();
  }

  remember() {
    const values = this.values;
    if (JSON.stringify(values) === JSON.stringify(this.history[this.now])) return;
    this.history = [...this.history.slice(0, this.now + 1), values];
    this.now = this.history.length - 1;
    this.tell();
  }

  // Goes back by -1 and forth by 1 in what was done.
  go(step) {
    const values = this.history[this.now + step];
    if (!values) return;
    this.now += step;
    this.values = values;
    this.tell();
    this.onInput();
  }

  reset() {
    this.values = {};
    this.remember();
    this.onInput();
  }

  tell() {
    at("undo").disabled = this.now === 0;
    at("redo").disabled = this.now === this.history.length - 1;
    at("reset").disabled = Object.keys(this.history[this.now]).length === 0;
  }

  filter() {
    const words = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = this.rest.filter((s) =>
      words.length === 0 || words.some((word) => s.name.includes(word)));
    const shown = new Set([...fits.slice(0, SHOWN), ...this.rest.filter((s) => s.moved)]);
    at("sliders").replaceChildren(
      ...this.rest.filter((s) => shown.has(s)).map((s) => s.element));
    const left = this.rest.length - shown.size;
    at("more").textContent = fits.length === 0 ? "No slider has that in its name."
      : left ? `${left} more: type their name above.` : "";
  }
}
