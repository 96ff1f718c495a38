// One slider: zero in the middle of what goes both ways, its value to be typed.

const FULL = 100; // what the end of a slider is called

// A row says what the service knows of it: { name, label, hint, low, high, start }; low
// is the strength at the left end. Strengths are the service's, places those of the
// slider: -100 to 100, or, where it begins at the left end, 0 to 100.
export class Slider {
  // `onMove` hears of every value, `onSettle` of those that are meant to stay.
  constructor(row, onMove, onSettle) {
    this.row = { start: 0, ...row };
    Object.assign(this, { onMove, onSettle });
    this.element = document.createElement("div");
    this.element.className = "slider";
    this.range = this.#input({ type: "range", step: 1, name: row.name });
    this.range.min = this.row.low === this.row.start ? 0 : -FULL;
    this.range.max = FULL;
    this.range.id = `slider-${row.name}`;
    this.typed = this.#input({ type: "text", inputMode: "decimal" });
    this.typed.ariaLabel = `${row.label}, as a number`;
    const label = document.createElement("label");
    label.htmlFor = this.range.id;
    label.textContent = row.label;
    this.element.title = `${row.hint}; a double click sets it back`;
    this.element.append(label, this.typed, this.range);
    this.#listen();
    this.strength = undefined;
  }

  get place() {
    return Number(this.range.value);
  }

  // The strength that the service is asked for; undefined where nothing was moved.
  get strength() {
    const { low, high, start } = this.row;
    const reach = this.place > 0 ? high - start : start - low;
    if (this.place === 0) return undefined;
    return Number((start + (reach * this.place) / FULL).toFixed(4));
  }

  set strength(strength) {
    const { low, high, start } = this.row;
    const way = (strength ?? start) - start;
    const part = (end) => (end === start ? 0 : Math.max(way / (end - start), 0));
    this.range.value = Math.round(FULL * (part(high) - part(low)));
    this.#tell();
  }

  // The track is filled from zero to the value, to either side.
  #tell() {
    const words = this.place > 0 && this.range.min < 0 ? `+${this.place}` : `${this.place}`;
    this.typed.value = words.replace("-", "\u2212");
    this.range.ariaValueText = words;
    this.element.classList.toggle("moved", this.place !== 0);
    const part = (place) => (place - this.range.min) / (this.range.max - this.range.min);
    const ends = [part(0), part(this.place)].sort((a, b) => a - b);
    this.range.style.setProperty("--zero", part(0));
    this.range.style.setProperty("--from", ends[0]);
    this.range.style.setProperty("--to", ends[1]);
  }

  #input(options) {
    return Object.assign(document.createElement("input"), options);
  }

  #set(place, settled = true) {
    this.range.value = place; // which keeps it within its ends
    this.#tell();
    this.onMove(this);
    if (settled) this.onSettle(this);
  }

  #listen() {
    const { range, typed } = this;
    range.addEventListener("input", () => this.#set(this.place, false));
    range.addEventListener("change", () => this.onSettle(this));
    this.element.addEventListener("dblclick", (event) => {
      if (event.target !== typed) this.#set(0);
    });
    typed.addEventListener("focus", () => typed.select());
    typed.addEventListener("change", () => {
      const place = Number(typed.value.replace("\u2212", "-").replace(",", "."));
      this.#set(Number.isFinite(place) ? place : this.place);
    });
    typed.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#set(this.place + step * (event.shiftKey ? 10 : 1));
    });
  }
}
