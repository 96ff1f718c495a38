// The camera: a dialog with its picture, of which one becomes the photo.

import { at } from "./dom.js";
import { problem } from "./work.js";

async function enter() {
  try {
    const video = { facingMode: "user", width: { ideal: 1920 } };
    at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video });
    at("booth").showModal();
    problem();
  } catch {
    problem("There is no camera that this page may use; choose a photo instead.");
  }
}

function snap(onPhoto) {
  const video = at("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    at("booth").close();
    onPhoto(new File([blob], "camera.jpg", { type: blob.type }));
  }, "image/jpeg", 0.95);
}

function dark() {
  for (const track of at("video").srcObject?.getTracks() ?? []) track.stop();
  at("video").srcObject = null;
  at("snap").disabled = true; // until there is a picture again
}

// Makes the buttons do what they say; `onPhoto` gets the photo that was taken.
export function camera(onPhoto) {
  at("camera").addEventListener("click", enter);
  at("video").addEventListener("loadeddata", () => { at("snap").disabled = false; });
  at("snap").addEventListener("click", () => snap(onPhoto));
  at("leave").addEventListener("click", () => at("booth").close());
  at("booth").addEventListener("close", dark);
}
