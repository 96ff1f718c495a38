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

// The picture of a blob in an <img>; resolves once it is seen, or another is shown.
export async function picture(id, blob) {
  const image = at(id);
  const [old, own] = [image.src, URL.createObjectURL(blob)];
  image.src = own;
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  try {
    await image.decode();
  } catch (error) {
    if (image.src === own) throw error;
  }
}
