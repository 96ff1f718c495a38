// What is seen: the two pictures with the line between them, the faces, the tabs.

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

// Resolves once the picture is seen, or another has taken its place before that.
export function picture(id, blob) {
  const image = at(id);
  const [old, own] = [image.src, URL.createObjectURL(blob)];
  image.src = own;
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  return image.decode().catch((error) => {
    if (image.src === own) throw error;
  });
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
      button.ariaLabel = `Face ${face.index + 1} of ${faces.length}`;
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

export const tabs = () => [...document.querySelectorAll("[role=tab]")];

export function showTab(name) {
  for (const tab of tabs()) {
    const chosen = tab.dataset.mode === name;
    tab.ariaSelected = String(chosen);
    tab.tabIndex = chosen ? 0 : -1;
    show(tab.dataset.mode, chosen);
  }
}

// Tabs are chosen by a click, or by the arrow keys from the one that is chosen.
export function tabbed(onTab) {
  for (const tab of tabs()) {
    tab.addEventListener("click", () => onTab(tab.dataset.mode));
  }
  at("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const shown = tabs().filter((tab) => !tab.hidden);
    const place = shown.indexOf(event.target);
    if (!step || place < 0) return;
    const next = shown[(place + step + shown.length) % shown.length];
    next.focus();
    onTab(next.dataset.mode);
  });
}
