// Calls of the HTTP API; the token, if one is needed, lives as long as the tab.

export class Problem extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

const KEY = "retouch-token";
const LINES = "application/x-ndjson";
export const SEEN = "image/webp"; // what every browser shows, transparency included
export const keepToken = (token) => sessionStorage.setItem(KEY, token.trim());

async function call(path, accept, options = {}) {
  const headers = { Accept: accept, ...options.headers };
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service cannot be reached; is it still running?", 0);
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({ error: response.statusText }));
  throw new Problem(told.error, response.status);
}

// Follows the progress, a line of JSON for each step; the last line is the answer.
async function followed(path, accept, options, onStep) {
  const response = await call(path, accept, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let parts = [];
  for (;;) {
    const { value = "", done } = await reader.read();
    const [end, ...more] = value.split("\n");
    parts.push(end);
    for (const next of more) {
      const line = JSON.parse(parts.join(""));
      if (line.error) throw new Problem(line.error, line.status);
      if (line.result) return line.result;
      onStep(line.doing, line.part);
      parts = [next];
    }
    if (done) throw new Problem("The service stopped before it was done.", 0);
  }
}

function form(photo, settings = {}) {
  const body = new FormData();
  body.append("photo", photo);
  body.append("settings", JSON.stringify(settings));
  return { method: "POST", body };
}

function bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

const get = async (path) => (await call(path, "application/json")).json();

export const sliders = () => get("v1/sliders");

// Whether the model is warm; until then requests wait.
export const ready = () => call("healthz", "application/json").then(() => true, () => false);

export async function faces(photo, signal) {
  const asked = { ...form(photo), signal };
  return (await call("v1/faces", "application/json", asked)).json();
}

export const invert = (photo, faces, signal, onStep) =>
  followed("v1/invert", LINES, { ...form(photo, { faces }), signal }, onStep);

// The picture as it is wished, and what is said of each face; of the kind `accept`.
export async function render(wish, accept, signal) {
  const headers = { "Content-Type": "application/json" };
  const asked = { method: "POST", body: JSON.stringify(wish), headers, signal };
  const kinds = `application/json, ${accept};q=0.5`;
  const { picture, media_type, faces } = await (await call("v1/render", kinds, asked)).json();
  return { blob: new Blob([bytes(picture)], { type: media_type }), faces };
}

export const forget = (id) =>
  call(`v1/latents/${id}`, "*/*", { method: "DELETE" }).catch(() => {});
