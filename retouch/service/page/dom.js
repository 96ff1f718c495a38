// The few calls of the document that every part of the page makes.

export const at = (id) => document.getElementById(id);
export const on = (id, event, act) => at(id).addEventListener(event, act);

export function show(id, visible = true) {
  at(id).hidden = !visible;
}

export function button(className, label, act) {
  const made = Object.assign(document.createElement("button"), { className });
  made.ariaLabel = label;
  made.title = label;
  made.addEventListener("click", act);
  return made;
}

// The address of a blob's picture, once it can be shown at once; or why it cannot be.
export async function decoded(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  await image.decode();
  return image.src;
}

export function empty(...ids) {
  for (const id of ids) at(id).removeAttribute("src");
}

export function put(id, address) {
  const old = at(id).src;
  at(id).src = address;
  if (old !== address && old.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(old));
}
