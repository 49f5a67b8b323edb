// Parts of a mask that are pixels, not lines: loaded, found, selected or grown.

import { MASK_COLOR } from "./colors.js";

const bitmaps = new WeakMap(); // of blobs that were prepared

/** The picture of an operation that was prepared, opaque where the mask is. */
export function bitmapOf({ blob }) {
  return bitmaps.get(blob);
}

/** Make all bitmaps in these operations ready to be drawn. */
export async function prepare(operations) {
  for (const operation of operations) {
    if (operation.kind === "paste") await prepare(operation.operations);
    if (operation.kind === "bitmap" && !bitmaps.has(operation.blob)) {
      bitmaps.set(operation.blob, await decoded(operation.blob));
    }
  }
}

/** A mask's file as a picture that is opaque where the file is white. */
async function decoded(blob) {
  const image = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(MASK_COLOR.slice(at, at + 2), 16));
  const step = Math.max(1, Math.floor(2 ** 21 / image.width));
  for (let top = 0; top < image.height; top += step) {
    const part = context.getImageData(0, top, image.width, Math.min(step, image.height - top));
    const { data } = part;
    for (let at = 0; at < data.length; at += 4) {
      const light = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      const white = light * data[at + 3] >= 128 * 255;
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
      data[at + 3] = white ? 255 : 0;
    }
    context.putImageData(part, 0, top);
  }
  image.close();
  return canvas;
}

/** The size of a mask's file in pixels. */
export async function sizeOf(blob) {
  const image = await createImageBitmap(blob);
  const size = { width: image.width, height: image.height };
  image.close();
  return size;
}
