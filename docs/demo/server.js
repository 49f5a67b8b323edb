// In place of the server: photos stay in this page, and the network runs in the browser.
// Exports what static/server.js does; see there.

import { fillHole, grown, membrane } from "./filling.js";
import * as ort from "./ort.wasm.min.mjs";

const TILE = 512;
const photos = new Map();
let opening = null;

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
ort.env.wasm.proxy = true;

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function takeToken() {}

export function useToken() {}

export async function fetchModels() {
  const model = (name, title, usual) => ({ name, title, default: usual, installed: true, seeded: false });
  return {
    models: [model("small", "MADF, slim", true), model("membrane", "Smooth, without a network", false)],
    words: [{ name: "auto", options: {} }, { name: "smooth", options: { model: "membrane" } }],
    saves: false,
    max_bytes: 200_000_000,
    max_pixels: 40_000_000,
    max_grow: 200,
  };
}

/** Results are PNG, so that known pixels stay exact. */
export async function sendPhoto(file) {
  let image;
  try {
    image = await createImageBitmap(file, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch {
    throw new ServerError(422, "This browser can't read it as a picture.");
  }
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  image.close();
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const id = crypto.randomUUID();
  const transparent = rgba.some((value, at) => at % 4 === 3 && value < 128);
  const info = {
    id, width, height, name: (file.name || "photo").replace(/\.\w+$/, "") + ".png", format: "PNG", bits: 8,
    bytes: file.size, has_alpha: transparent, has_hole: transparent, tile: TILE, results: [],
  };
  photos.set(id, { info, rgba, fills: [], canvases: new Map([[0, canvas]]) });
  return { ...info, results: [] };
}

function find(id) {
  const photo = photos.get(id);
  if (!photo) throw new ServerError(404, "This photo is not open any more.");
  return photo;
}

export async function fetchPhoto(id) {
  const { info } = find(id);
  return { ...info, results: [...info.results] };
}

export async function forgetPhoto(id) {
  photos.delete(id);
}

/** All pixels of a result, RGBA. */
function pixelsOf(photo, number) {
  if (!number) return photo.rgba;
  const { start, patches } = photo.fills[number - 1];
  const rgba = pixelsOf(photo, start).slice();
  for (const { box: [left, top, width, height], color, hole } of patches) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const from = y * width + x;
        if (!hole[from]) continue;
        const at = 4 * ((top + y) * photo.info.width + left + x);
        for (let channel = 0; channel < 3; channel += 1) rgba[at + channel] = color[3 * from + channel];
        rgba[at + 3] = 255;
      }
    }
  }
  return rgba;
}

function canvasOf(photo, number) {
  if (!photo.canvases.has(number)) {
    const { width, height } = photo.info;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").putImageData(new ImageData(pixelsOf(photo, number), width, height), 0, 0);
    photo.canvases.set(number, canvas);
    const oldest = [...photo.canvases.keys()].filter((key) => key);
    if (oldest.length > 4) photo.canvases.delete(oldest[0]);
  }
  return photo.canvases.get(number);
}

export async function fetchTile(id, { result, level, column, row }) {
  const photo = find(id);
  const side = TILE * 2 ** level;
  const width = Math.min(side, photo.info.width - column * side);
  const height = Math.min(side, photo.info.height - row * side);
  const options = {
    resizeWidth: Math.ceil(width / 2 ** level),
    resizeHeight: Math.ceil(height / 2 ** level),
    resizeQuality: "high",
  };
  return createImageBitmap(canvasOf(photo, result), column * side, row * side, width, height, options);
}

export async function fetchFile(id, result, { format = "" } = {}) {
  const kind = format === "JPEG" ? "image/jpeg" : "image/png";
  return canvasOf(find(id), result).convertToBlob({ type: kind });
}

export async function fetchZip() {
  throw new ServerError(501, "Without a server photos are saved one by one, or into a folder.");
}

export async function saveOnServer() {
  throw new ServerError(501, "There is no server here.");
}

export async function selectThing() {
  throw new ServerError(501, "Without a server things are painted, not selected.");
}

export async function findKind() {
  throw new ServerError(501, "Without a server nothing is found by itself.");
}

export async function fillPhoto(id, mask, options, { signal, onStep }) {
  const photo = find(id);
  const { width, height } = photo.info;
  const start = Number(options.result ?? 0);
  const rgba = pixelsOf(photo, start);
  const began = performance.now();
  const painted = mask ? await holeOf(mask, width, height) : transparentOf(rgba);
  const hole = grown(painted, width, height, Number(options.grow ?? 0));
  if (!hole.includes(0)) throw new ServerError(422, "The mask covers all of the photo; leave something to go by.");
  const network = options.model === "membrane" ? smooth : await small();
  const patches = await fillHole({ width, height, rgba }, hole, network, {
    feather: options.feather === undefined ? null : Number(options.feather),
    onStep,
    check: () => signal?.throwIfAborted(),
  });
  const result = {
    number: photo.fills.length + 1,
    start,
    box: boxOf(patches),
    hole_ratio: hole.reduce((sum, flag) => sum + flag, 0) / hole.length,
    seconds: (performance.now() - began) / 1000,
    model: options.model ?? "small",
    warnings: [],
  };
  photo.fills.push({ start, patches });
  photo.info.results.push(result);
  return { ...result };
}

function boxOf(patches) {
  const left = Math.min(...patches.map(({ box }) => box[0]));
  const top = Math.min(...patches.map(({ box }) => box[1]));
  const right = Math.max(...patches.map(({ box }) => box[0] + box[2]));
  const bottom = Math.max(...patches.map(({ box }) => box[1] + box[3]));
  return [left, top, right - left, bottom - top];
}

async function holeOf({ blob, x, y }, width, height) {
  const image = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const hole = new Uint8Array(width * height);
  for (let row = 0; row < Math.min(image.height, height - y); row += 1) {
    for (let column = 0; column < Math.min(image.width, width - x); column += 1) {
      hole[(y + row) * width + x + column] = data[4 * (row * image.width + column)] >> 7;
    }
  }
  return hole;
}

function transparentOf(rgba) {
  return Uint8Array.from({ length: rgba.length / 4 }, (_, at) => (rgba[4 * at + 3] < 128 ? 1 : 0));
}

async function small() {
  opening ??= ort.InferenceSession.create(new URL("./small.onnx", import.meta.url).href);
  const session = await opening;
  return async (image, mask, rows, columns) => {
    const answer = await session.run({
      image: new ort.Tensor("float32", image, [1, 3, rows, columns]),
      mask: new ort.Tensor("float32", mask, [1, 1, rows, columns]),
    });
    return answer.output.data;
  };
}

async function smooth(image, mask, rows, columns) {
  return membrane(image, Uint8Array.from(mask), columns, rows);
}
