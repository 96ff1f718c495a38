// Calls of the HTTP API; the token, if one is needed, lives as long as the tab.

export class Problem extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

const KEY = "retouch-token";
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

function form(files, settings, fields = {}) {
  const body = new FormData();
  for (const [name, file] of Object.entries(files)) body.append(name, file);
  body.append("settings", JSON.stringify(settings));
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return { method: "POST", body };
}

const json = (value) => ({
  method: "POST",
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json" },
});

export const get = async (path) => (await call(path, "application/json")).json();

// Whether the model is warm; until then requests wait.
export const ready = () => call("healthz", "application/json").then(() => true, () => false);

export async function faces(photo) {
  const response = await call("v1/faces", "application/json", form({ photo }, {}));
  return response.json();
}

// Yields the progress, a line each; the result is returned.
async function followed(path, options, onStep) {
  const response = await call(path, "application/x-ndjson", options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines.map((each) => JSON.parse(each))) {
      if (line.error) throw new Problem(line.error, line.status);
      if (line.result) return line.result;
      onStep(line.doing, line.part);
    }
    if (done) throw new Problem("The service stopped before it was done.", 0);
  }
}

export const invert = (photo, faces, onStep) =>
  followed("v1/invert", form({ photo }, { faces }), onStep);

export async function render(wish, accept = "image/*", signal = undefined) {
  const response = await call("v1/render", accept, { ...json(wish), signal });
  return response.blob();
}

export async function worked(verb, files, settings, fields, accept) {
  const response = await call(`v1/${verb}`, accept, form(files, settings, fields));
  return response.blob();
}

// What the service can do, by the routes it tells of.
export async function verbs() {
  const { paths } = await get("openapi.json");
  return new Set(Object.keys(paths).map((path) => path.replace("/v1/", "")));
}

export const forget = (id) =>
  call(`v1/latents/${id}`, "*/*", { method: "DELETE" }).catch(() => {});
