// The mask at the photo's full size, as a PNG of one bit a pixel, of the part that was painted.
//
// It is drawn in strips: a browser could not hold a canvas of 50 megapixels, and a phone far less.

import { drawMask, maskBounds } from "./strokes.js";

const STRIP_PIXELS = 2 ** 21;

/**
 * Draw a mask at full size.
 *
 * Gives {blob, x, y}: a PNG, white is missing, and where its upper left corner lies in the photo; or
 * null if no pixel is painted. `whole` gives all of the photo's size.
 */
export async function renderMask(operations, width, height, { whole = false } = {}) {
  const bounds = maskBounds(operations, width, height);
  if (!bounds) return null;
  bounds.width += bounds.x % 8; // so that its bytes are those of the whole photo's rows
  bounds.x -= bounds.x % 8;
  const stride = 1 + Math.ceil(bounds.width / 8); // a PNG's row starts with the number of its filter
  const rows = new Uint8Array(stride * bounds.height);
  const any = await eachStrip(operations, width, height, bounds, (pixels, top, count) =>
    packRows(pixels, bounds.width, count, rows, top * stride, stride),
  );
  if (!any) return null;
  if (whole) return { blob: await encodePng(inWhole(rows, stride, bounds, width, height), width, height), x: 0, y: 0 };
  return { blob: await encodePng(rows, bounds.width, bounds.height), x: bounds.x, y: bounds.y };
}

/** Rows of a part as those of the whole photo. */
function inWhole(rows, stride, bounds, width, height) {
  const wide = 1 + Math.ceil(width / 8);
  const whole = new Uint8Array(wide * height);
  for (let y = 0; y < bounds.height; y += 1) {
    const row = rows.subarray(y * stride + 1, (y + 1) * stride);
    whole.set(row, (bounds.y + y) * wide + 1 + bounds.x / 8);
  }
  return whole;
}

/**
 * A mask wider by so many pixels, or narrower for a negative number, as a bitmap operation; null for
 * nothing left. Round, exact to the pixel.
 */
export async function changedMask(operations, width, height, pixels) {
  const painted = maskBounds(operations, width, height);
  if (!painted) return null;
  const reach = Math.abs(pixels);
  const left = Math.max(0, painted.x - reach);
  const top = Math.max(0, painted.y - reach);
  const bounds = {
    x: left,
    y: top,
    width: Math.min(width, painted.x + painted.width + reach) - left,
    height: Math.min(height, painted.y + painted.height + reach) - top,
  };
  const grows = pixels > 0;
  const source = new Uint8Array(bounds.width * bounds.height); // 1 for what spreads
  await eachStrip(operations, width, height, bounds, (rgba, start, count) => {
    for (let at = 0; at < bounds.width * count; at += 1) {
      const set = rgba[4 * at + 3] >= 128;
      source[start * bounds.width + at] = set === grows ? 1 : 0;
    }
    return true;
  });
  const spread = dilated(source, bounds.width, bounds.height, reach);
  const stride = 1 + Math.ceil(bounds.width / 8);
  const rows = new Uint8Array(stride * bounds.height);
  let any = 0;
  for (let y = 0; y < bounds.height; y += 1) {
    for (let x = 0; x < bounds.width; x += 1) {
      const bit = spread[y * bounds.width + x] === (grows ? 1 : 0) ? 1 : 0;
      rows[y * stride + 1 + (x >> 3)] |= bit << (7 - (x & 7));
      any |= bit;
    }
  }
  if (!any) return null;
  const blob = await encodePng(rows, bounds.width, bounds.height);
  return { kind: "bitmap", erase: false, ...bounds, blob };
}

/** A whole mask of bytes, 1 = set, wider by so many pixels. */
export function changedBits(mask, width, height, pixels) {
  return dilated(mask, width, height, Math.floor(pixels));
}

/** 1 for all pixels within a distance of one that is 1: first along rows, then down columns. */
function dilated(source, width, height, reach) {
  const far = reach + 1;
  const across = new Uint8Array(width * height); // to the nearest 1 of the row, at most `far`
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    for (const [start, step] of [[0, 1], [width - 1, -1]]) {
      let distance = far;
      for (let x = start; x >= 0 && x < width; x += step) {
        distance = source[row + x] ? 0 : Math.min(far, distance + 1);
        across[row + x] = step > 0 ? distance : Math.min(across[row + x], distance);
      }
    }
  }
  const result = new Uint8Array(width * height);
  const depths = Array.from({ length: far + 1 }, (_, aside) =>
    aside > reach ? -1 : Math.floor(Math.sqrt(reach * reach - aside * aside)),
  );
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const depth = depths[across[y * width + x]];
      if (depth < 0 || (depth === 0 && result[y * width + x])) continue;
      const last = Math.min(height - 1, y + depth);
      for (let at = Math.max(0, y - depth); at <= last; at += 1) result[at * width + x] = 1;
    }
  }
  return result;
}

/** Draw a mask in strips; `use(rgba, top, rows)` gets each, and says whether it found something. */
async function eachStrip(operations, width, height, bounds, use) {
  const stripHeight = Math.max(1, Math.min(bounds.height, Math.floor(STRIP_PIXELS / bounds.width)));
  const canvas = document.createElement("canvas");
  canvas.width = bounds.width;
  canvas.height = stripHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let painted = false;
  for (let top = 0; top < bounds.height; top += stripHeight) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(1, 0, 0, 1, -bounds.x, -bounds.y - top);
    drawMask(context, operations, width, height);
    const count = Math.min(stripHeight, bounds.height - top);
    const pixels = context.getImageData(0, 0, bounds.width, count).data;
    painted = use(pixels, top, count) || painted;
    await new Promise((resolve) => setTimeout(resolve)); // the page stays alive meanwhile
  }
  return painted;
}

/** Cut alpha at a half into bits, most significant first; says whether any is set. */
function packRows(pixels, width, height, rows, offset, stride) {
  let any = 0;
  for (let y = 0; y < height; y += 1) {
    const start = offset + y * stride + 1;
    for (let x = 0; x < width; x += 1) {
      const bit = pixels[4 * (y * width + x) + 3] >> 7;
      rows[start + (x >> 3)] |= bit << (7 - (x & 7));
      any |= bit;
    }
  }
  return any === 1;
}

/** A grey PNG of one bit a pixel from its rows, each with the byte of its filter. */
async function encodePng(rows, width, height) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 1); // bits a pixel; grey, deflate, filters of kind 0, not interlaced
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [
    signature,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ];
  return new Blob(parts, { type: "image/png" });
}

function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, checksum(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32. */
function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CHECKSUMS[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
