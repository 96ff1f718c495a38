// What is seen: the two pictures with the line between them, the faces, the sliders.

export const at = (id) => document.getElementById(id);

export function show(id, visible = true) {
  at(id).hidden = !visible;
}

export function busy(doing, part = undefined) {
  show("busy", Boolean(doing));
  at("doing").textContent = doing ?? "";
  if (part === undefined) at("bar").removeAttribute("value");
  else at("bar").value = part;
}

export function problem(sentence) {
  show("problem", Boolean(sentence));
  at("problem").textContent = sentence ?? "";
}

export function picture(id, blob) {
  const image = at(id);
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  return image.decode();
}

export function split(percent) {
  at("split").value = percent;
  at("pictures").style.setProperty("--split", `${percent}%`);
}

// Lets the line be dragged on the pictures themselves.
export function draggable() {
  const pictures = at("pictures");
  const follow = (event) => {
    const box = pictures.getBoundingClientRect();
    const percent = (100 * (event.clientX - box.left)) / box.width;
    split(Math.min(100, Math.max(0, percent)));
  };
  pictures.addEventListener("pointermove", (event) => {
    if (event.buttons || event.pointerType === "touch") follow(event);
  });
  pictures.addEventListener("dragstart", (event) => event.preventDefault());
  at("split").addEventListener("input", (event) => split(event.target.value));
}

export function drawFaces(found, chosen, onClick) {
  const { width, height, faces } = found;
  at("pictures").classList.toggle("alone", faces.length === 1);
  at("faces").replaceChildren(
    ...faces.map((face) => {
      const [left, top, right, bottom] = face.box;
      const button = document.createElement("button");
      button.className = "face";
      button.ariaPressed = String(chosen.has(face.index));
      button.ariaLabel = `Face ${face.index}`;
      button.title = chosen.has(face.index) ? "Leave this face" : "Edit this face";
      button.style.left = `${(100 * left) / width}%`;
      button.style.top = `${(100 * top) / height}%`;
      button.style.width = `${(100 * (right - left)) / width}%`;
      button.style.height = `${(100 * (bottom - top)) / height}%`;
      button.addEventListener("click", () => onClick(face.index));
      return button;
    }),
  );
}

// One slider; `onInput` as it moves, `onChange` once it is let go.
export class Slider {
  constructor({ name, label, low, high, step, start = 0 }, onInput, onChange) {
    this.name = name;
    this.start = start;
    this.element = document.createElement("label");
    this.element.className = "slider";
    this.element.title = label;
    const words = document.createElement("span");
    words.textContent = name;
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

  tell() {
    this.told.textContent = this.value.toFixed(2).replace(/0$/, "");
    this.element.classList.toggle("moved", this.value !== this.start);
  }
}
