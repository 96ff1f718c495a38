// What is under way, with the time it has left and a way to stop it; what went wrong.

import { at, on, show } from "./dom.js";

const SOON = 600; // milliseconds: what is done by then needs no words
const TOLD = 0.1; // of the work, before the time it has left is told
const usual = new Map(); // milliseconds that such work took the last time
let running = []; // the youngest is told of

// Which part is done, and how many milliseconds are left: as the service tells, or else
// as it was the last time.
function progress({ kind, began, part = 0 }) {
  const took = performance.now() - began, all = usual.get(kind);
  if (part >= TOLD) return { part, left: (took * (1 - part)) / part };
  return all ? { part: Math.min(0.95, took / all), left: all - took } : { left: 0 };
}

function tell() {
  const work = running.at(-1);
  const shown = Boolean(work) && performance.now() - work.began >= work.after;
  show("busy", shown);
  if (!shown) return;
  const { part, left } = progress(work);
  const seconds = Math.ceil(left / 1000);
  at("doing").textContent = work.doing + (left > 500 ? `, ${seconds} s left` : "");
  if (part === undefined) at("progress").removeAttribute("value");
  else at("progress").value = part;
}

// Does what takes long: `act` gets a signal to stop by, and a call for its progress.
export async function doing(what, act, after = SOON) {
  const stop = new AbortController();
  const work = { kind: what, doing: what, began: performance.now(), stop, after };
  running.push(work);
  const clock = setInterval(tell, 200);
  tell();
  try {
    const done = await act(stop.signal, (step, part) => {
      Object.assign(work, { doing: step, part });
      tell();
    });
    usual.set(what, performance.now() - work.began);
    return done;
  } finally {
    clearInterval(clock);
    running = running.filter((other) => other !== work);
    tell();
  }
}

export const stopped = (error) => error.name === "AbortError";

export function problem(sentence) {
  show("problem", Boolean(sentence));
  at("problem").firstElementChild.textContent = sentence ?? "";
}

on("cancel", "click", () => running.at(-1)?.stop.abort());
on("dismiss", "click", () => problem());
