// The photo on the screen: squares of it at the scale that is seen, fetched when they come into view.

import { fetchTile } from "./server.js";

const MOST_TILES = 120; // kept, some 1 MB each
const AT_ONCE = 6;

/** The tiles of one photo in all its results. */
export class Tiles {
  /** `onChange` is called when there is more to draw, `onError(error)` when a tile can't be had. */
  constructor(photo, onChange, onError) {
    this.photo = photo;
    this.onChange = onChange;
    this.onError = onError;
    this.bitmaps = new Map(); // by key, in the order of their last use
    this.loading = new Map();
    this.failed = new Set();
  }

  get coarsest() {
    const { width, height, tile } = this.photo.info;
    return Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / tile)));
  }

  /**
   * Draw a result; the context's transform leads from photo pixels to its own.
   *
   * `scale` is the context's pixels per photo pixel, `area` the photo's part that is seen, as
   * [left, top, right, bottom].
   */
  draw(context, result, scale, area) {
    const level = Math.min(this.coarsest, Math.max(0, Math.floor(Math.log2(1 / scale) + 0.2)));
    context.imageSmoothingEnabled = scale < 3;
    context.imageSmoothingQuality = "high";
    for (const place of this.places(this.coarsest, area)) this.drawTile(context, place, result);
    if (level === this.coarsest) return;
    for (const place of this.places(level, area)) this.drawTile(context, place, result);
  }

  /** Draw a part of a result when all its tiles are there; for small pictures. */
  async drawArea(context, result, scale, area) {
    const level = Math.min(this.coarsest, Math.max(0, Math.floor(Math.log2(1 / scale))));
    const places = [...this.places(level, area)];
    const bitmaps = await Promise.all(places.map((place) => this.load(place, result)));
    bitmaps.forEach((bitmap, index) => drawBitmap(context, bitmap, places[index]));
  }

  *places(level, [left, top, right, bottom]) {
    const { width, height, tile } = this.photo.info;
    const side = tile * 2 ** level;
    const lastColumn = Math.min(Math.ceil(width / side), Math.ceil(right / side));
    const lastRow = Math.min(Math.ceil(height / side), Math.ceil(bottom / side));
    for (let row = Math.max(0, Math.floor(top / side)); row < lastRow; row += 1) {
      for (let column = Math.max(0, Math.floor(left / side)); column < lastColumn; column += 1) {
        yield { level, column, row, side };
      }
    }
  }

  drawTile(context, place, result) {
    const key = this.key(place, result);
    const bitmap = this.bitmaps.get(key);
    if (bitmap) {
      this.bitmaps.delete(key);
      this.bitmaps.set(key, bitmap);
      drawBitmap(context, bitmap, place);
    } else if (this.loading.size < AT_ONCE && !this.failed.has(key)) {
      this.load(place, result).then(this.onChange, this.onError);
    }
  }

  load(place, result) {
    const key = this.key(place, result);
    if (this.bitmaps.has(key)) return Promise.resolve(this.bitmaps.get(key));
    if (!this.loading.has(key)) this.loading.set(key, this.fetch(key, place, result));
    return this.loading.get(key);
  }

  async fetch(key, place, result) {
    const { level, column, row } = place;
    try {
      const version = this.version(place, result);
      const wanted = { result: version, level, column, row };
      const bitmap = await fetchTile(this.photo.info.id, wanted);
      this.bitmaps.set(key, bitmap);
      while (this.bitmaps.size > MOST_TILES) {
        const oldest = this.bitmaps.keys().next().value;
        this.bitmaps.get(oldest).close();
        this.bitmaps.delete(oldest);
      }
      return bitmap;
    } catch (error) {
      this.failed.add(key);
      throw error;
    } finally {
      this.loading.delete(key);
    }
  }

  key(place, result) {
    return `${this.version(place, result)}/${place.level}/${place.column}/${place.row}`;
  }

  /** The last result on the way to `result` that changed something under a tile. */
  version({ column, row, side }, result) {
    const { results } = this.photo.info;
    let number = result;
    while (number > 0) {
      const { box, start } = results[number - 1];
      const [x, y, width, height] = box;
      const across = x < (column + 1) * side && column * side < x + width;
      const down = y < (row + 1) * side && row * side < y + height;
      if (across && down) return number;
      number = start;
    }
    return 0;
  }

  /** Try again what failed. */
  retry() {
    this.failed.clear();
    this.onChange();
  }

  /** Forget all: the server's photo is another one. */
  clear() {
    this.close();
    this.failed.clear();
  }

  close() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }
}

/** The last pixels of a row or column may stand for less than 2^level photo pixels: who draws clips. */
function drawBitmap(context, bitmap, { level, column, row, side }) {
  const size = 2 ** level;
  context.drawImage(bitmap, column * side, row * side, bitmap.width * size, bitmap.height * size);
}
