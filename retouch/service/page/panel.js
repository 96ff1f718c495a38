// The panel: whose face, the button Enhance, and the sliders in their groups.

import { at, button, show } from "./dom.js";
import { EVERYONE, settingsOf } from "./looks.js";
import { Slider } from "./sliders.js";

const ADVANCED = "Advanced";
const OPEN = 5; // groups, from the first, that are unfolded at once
const FOUND = 12; // axes that are listed at once

let rows = new Map(); // what the service says of each slider, by its name
let sliders = new Map();
let act = null; // what the page does: moved, settled, another, source
const groups = new Map(); // the elements of the groups, by their names

export const row = (name) => rows.get(name);
export const built = () => rows.size > 0;

// The settings that Enhance puts on a face.
export const enhancing = () =>
  Object.fromEntries([...rows.values()].filter((r) => r.enhance).map((r) => [r.name, r.enhance]));

export const enhanced = (settings) => built() &&
  Object.entries(enhancing()).every(([name, value]) => settings[name] === value);

// --- built once, from what the service tells -----------------------------------------

export function build({ sliders: told, axes }, actions) {
  act = actions;
  rows = new Map([...told, ...axes.map(axis)].map((each) => [each.name, each]));
  for (const each of told) add(each);
  if (axes.length) search(axes);
  at("groups").replaceChildren(...[...groups.values()].map(({ element }) => element));
  at("chips").replaceChildren(...[...groups.values()].map(({ chip }) => chip));
  choose(groups.keys().next().value);
}

const axis = (name) => ({
  name, group: ADVANCED, field: "moves", low: -3, high: 3,
  label: name.replace("axis:", "Axis "), hint: "One of the ways in which people differ",
});

function add(each) {
  const { body } = group(each.group);
  if (each.field === "mask") return body.append(people(each));
  if (each.field === "transfer") body.append(source());
  body.append(slider(each).element);
}

function slider(each) {
  if (!sliders.has(each.name)) {
    const made = new Slider(each, () => act.moved(each, made.strength), () => act.settled(each));
    sliders.set(each.name, made);
  }
  return sliders.get(each.name);
}

function group(name) {
  if (groups.has(name)) return groups.get(name);
  const element = document.createElement("section");
  const body = document.createElement("div");
  body.id = `group-${name}`;
  body.className = "body";
  const head = document.createElement("button");
  head.textContent = name;
  head.ariaExpanded = String(groups.size < OPEN);
  head.setAttribute("aria-controls", body.id);
  head.addEventListener("click", () => {
    head.ariaExpanded = String(head.ariaExpanded !== "true");
  });
  const title = document.createElement("h2");
  title.append(head);
  element.className = "group";
  element.append(title, body);
  const chip = button("chip", name, () => choose(name));
  chip.textContent = name;
  groups.set(name, { element, body, chip });
  return groups.get(name);
}

// On a phone one group is seen at a time.
function choose(name) {
  for (const [other, { element, chip }] of groups) {
    element.classList.toggle("current", other === name);
    chip.ariaPressed = String(other === name);
  }
  groups.get(name).chip.scrollIntoView({ block: "nearest", inline: "center" });
  at("groups").scrollTop = 0;
}

// --- what is more than a slider ------------------------------------------------------

function source() {
  const made = document.createElement("div");
  made.className = "choice";
  made.innerHTML = `<p>The expression of a face in another photo.</p>
    <img id="source-face" alt="Whose expression is taken over" hidden>
    <button id="pick">Choose a photo</button><button id="unpick" hidden>Remove</button>`;
  made.querySelector("#pick").addEventListener("click", () => at("source").click());
  made.querySelector("#unpick").addEventListener("click", () => act.source());
  return made;
}

function people({ name }) {
  const made = document.createElement("div");
  made.className = "choice";
  made.innerHTML = `<p>The face of a person who does not exist; the expression stays.</p>
    <output id="person"></output>
    <button id="another">Put one on</button><button id="unmask" hidden>Remove</button>`;
  made.querySelector("#another").addEventListener("click", () => act.another(name));
  made.querySelector("#unmask").addEventListener("click", () => act.another(name, true));
  return made;
}

// The axes are too many to be listed: they are looked up by their numbers.
function search(axes) {
  const { body } = group(ADVANCED);
  const label = document.createElement("label");
  label.className = "search";
  label.textContent = `Axis, 0 to ${axes.length - 1}`;
  const field = Object.assign(document.createElement("input"), { type: "search" });
  field.id = "filter";
  field.inputMode = "numeric";
  label.append(field);
  const list = document.createElement("div");
  const tell = () => {
    const fits = axes.filter((name) => name.split(":")[1].startsWith(field.value.trim()));
    list.replaceChildren(...fits.slice(0, FOUND).map((name) => slider(rows.get(name)).element));
    if (!fits.length) list.textContent = "There is no axis of that number.";
  };
  field.addEventListener("input", tell);
  tell();
  body.append(label, list);
}

// --- told of a photo -------------------------------------------------------------------

export function tell(photo, sources) {
  const settings = settingsOf(photo.look, photo.face);
  const everyone = settingsOf(photo.look, EVERYONE);
  for (const [name, slider] of sliders) {
    slider.strength = (slider.row.field === "settings" ? everyone : settings)[name];
  }
  at("enhance").ariaPressed = String(enhanced(settings));
  at("reset").disabled = photo.plainLook;
  at("undo").disabled = !photo.history.canUndo;
  at("redo").disabled = !photo.history.canRedo;
  for (const name of ["groups", "top", "chips"]) at(name).inert = Boolean(photo.problem);
  tellChoices(settings, sources);
  for (const [name, { chip, element }] of groups) {
    const used = Object.keys(settings).some((each) => rows.get(each)?.group === name);
    for (const part of [chip, element]) part.classList.toggle("used", used);
  }
  at("notes").textContent = [...photo.notes].filter(([, note]) => note)
    .map(([index, note]) => (photo.faces.length > 1 ? `${photo.called(index)}: ${note}.` : `${note[0].toUpperCase()}${note.slice(1)}.`))
    .join(" ");
}

function tellChoices({ mask, source: place }, sources) {
  if (at("person")) {
    at("person").textContent = mask === undefined ? "" : `Person ${mask}`;
    at("another").textContent = mask === undefined ? "Put one on" : "Another person";
    show("unmask", mask !== undefined);
  }
  if (at("pick")) {
    const chosen = sources[place];
    at("pick").textContent = chosen ? "Another photo" : "Choose a photo";
    for (const id of ["source-face", "unpick"]) show(id, Boolean(chosen));
    sliders.get("transfer").element.hidden = !chosen;
    if (chosen && at("source-face").dataset.name !== chosen.id) {
      at("source-face").dataset.name = chosen.id;
      at("source-face").src = URL.createObjectURL(chosen.thumb);
    }
  }
}

// The faces of the photo, one chip each, and one for everyone where there are several.
export async function tellPeople(photo, onChoose) {
  const several = photo.faces.length > 1;
  const known = several ? [[EVERYONE, "Everyone"]] : [];
  for (const { index } of photo.faces) known.push([String(index), photo.called(index)]);
  const chips = known.map(([face, label]) => {
    const chip = button("person", label, () => onChoose(face));
    chip.dataset.face = face;
    chip.ariaPressed = String(several ? photo.face === face : true);
    if (face === EVERYONE) chip.textContent = "All";
    return chip;
  });
  at("people").replaceChildren(...chips);
  for (const chip of several ? chips.slice(1) : chips) {
    const blob = await photo.chip(Number(chip.dataset.face));
    if (!blob) chip.textContent = Number(chip.dataset.face) + 1;
    else chip.style.backgroundImage = `url(${URL.createObjectURL(blob)})`;
  }
}
