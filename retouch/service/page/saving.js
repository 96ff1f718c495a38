// Saving: the photo as it is seen, in full size, or all photos one after the other.

import { at, on, show } from "./dom.js";

function download(blob, photo) {
  const link = document.createElement("a");
  const stem = photo.name.replace(/\.[^.]*$/, "") || "photo";
  const suffix = blob.type.split("/")[1].replace("jpeg", "jpg").replace("tiff", "tif");
  link.download = `${stem}-retouched.${suffix}`;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Asks what is to be saved; `save` makes the whole picture of a photo.
export function saving(count, act) {
  on("save", "click", () => {
    const many = count();
    show("save-all", many > 1);
    at("save-all").textContent = `Save all ${many}`;
    at("saving").returnValue = "";
    at("saving").showModal();
  });
  at("saving").addEventListener("close", () => {
    const { returnValue } = at("saving");
    if (returnValue) act(returnValue === "all");
  });
}

export const wanted = () => ({
  accept: at("format").value,
  delivery: { strip_location: at("strip").checked },
});

export { download };
