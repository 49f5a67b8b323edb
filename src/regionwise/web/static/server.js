// Ask the server: the API of /docs.

import { t } from "./language.js";

const TOKEN = "regionwise.token";
const LONGEST_BUSY = 40; // times that a busy server is asked again
const JSON_HEADERS = { "Content-Type": "application/json" };

/** An answer that is no success; `status` is that of HTTP, 0 for no answer at all. */
export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Take the token out of the address, where `regionwise serve` puts it, and out of sight. */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  useToken(token);
  history.replaceState(null, "", location.pathname);
}

export function useToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

async function ask(path, { onBusy, patient = true, ...options } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  for (let attempt = 0; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(`api/v1/${path}`, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError(0, t("The server does not answer. Is regionwise serve still running?"));
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 429 && patient && attempt < LONGEST_BUSY) {
      onBusy?.();
      await pause(1000 * Number(answer.headers.get("Retry-After") ?? 1), options.signal);
      continue;
    }
    throw new ServerError(answer.status, sentence(said.error ?? t("The server said {status}", { status: answer.status })));
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });
}

function sentence(text) {
  const line = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** The models to choose from, and the server's limits. */
export async function fetchModels() {
  return (await ask("models", { patient: false })).json();
}

export async function sendPhoto(file, onBusy) {
  const form = new FormData();
  form.append("photo", file, file.name || "photo");
  return (await ask("photos", { method: "POST", body: form, onBusy })).json();
}

export async function fetchPhoto(id) {
  return (await ask(`photos/${id}`)).json();
}

export async function forgetPhoto(id) {
  await ask(`photos/${id}`, { method: "DELETE" });
}

/** A square of a result as a bitmap. */
export async function fetchTile(id, { result, level, column, row }) {
  const query = new URLSearchParams({ result, level, column, row });
  const answer = await ask(`photos/${id}/tile?${query}`);
  return createImageBitmap(await answer.blob());
}

/** A result as a file, in the photo's own format or another one. */
export async function fetchFile(id, result, { format = "", onBusy } = {}) {
  const query = new URLSearchParams({ result, ...(format && { format }) });
  return (await ask(`photos/${id}/file?${query}`, { onBusy })).blob();
}

/** Write a result into the server's folder; gives the file's name. */
export async function saveOnServer(id, result, name) {
  const query = new URLSearchParams({ result, name });
  return (await (await ask(`photos/${id}/save?${query}`, { method: "POST" })).json()).name;
}

/** The thing at some points {x, y} or in a box [x, y, width, height], as a bitmap operation; null for none. */
export async function selectThing(id, { result, points, box, wider, onBusy }) {
  const body = JSON.stringify({ result, points, box, wider });
  return bitmapFrom(await ask(`photos/${id}/select`, { method: "POST", body, onBusy, headers: JSON_HEADERS }));
}

/** What a finder proposes as a mask, as a bitmap operation; null for nothing. */
export async function findKind(id, { kind, result, others, onBusy }) {
  const query = new URLSearchParams({ kind, result, others: others.join(",") });
  return bitmapFrom(await ask(`photos/${id}/find?${query}`, { method: "POST", onBusy }));
}

async function bitmapFrom(answer) {
  if (answer.status === 204) return null;
  const [x, y, width, height] = answer.headers.get("X-Regionwise-Box").split(",").map(Number);
  return { kind: "bitmap", erase: false, x, y, width, height, blob: await answer.blob() };
}

export async function fetchZip(photos) {
  const body = JSON.stringify({ photos });
  return (await ask("zip", { method: "POST", body, headers: JSON_HEADERS })).blob();
}

/**
 * Fill a photo; gives the result.
 *
 * `mask` is what renderMask gave, or null for the transparent pixels. `onStep(share)` is called as
 * it goes on, `onBusy()` while others are served. To cancel, abort `signal`.
 */
export async function fillPhoto(id, mask, options, { signal, onStep, onBusy }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) form.append(name, value);
  if (mask) {
    form.append("mask", mask.blob, "mask.png");
    form.append("mask_at", `${mask.x},${mask.y}`);
  }
  const answer = await ask(`photos/${id}/fills`, { method: "POST", body: form, signal, onBusy });
  for await (const event of lines(answer.body)) {
    if (event.error) throw new ServerError(event.status, sentence(event.error));
    if (event.result) return event.result;
    if (event.ahead) onBusy?.();
    if (event.done) onStep?.(event.done);
  }
  throw new ServerError(0, t("The server stopped before the fill was done."));
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split("\n");
    rest = pieces.pop();
    for (const piece of pieces) if (piece) yield JSON.parse(piece);
  }
}
