// A photo that is worked on: its file, what the server knows of it, and all that was done, to be undone.

import { freshKey } from "./storage.js";
import { maskOperations, shownResult } from "./strokes.js";
import { Tiles } from "./tiles.js";

export class WorkPhoto {
  /** `info` is the server's; `saved` what `data()` gave before a reload. */
  constructor(file, info, { key = freshKey(), operations = [], undone = [], recipes = [] } = {}) {
    Object.assign(this, { file, info, key, operations, undone });
    this.recipes = recipes; // of each result: {start, mask, options}, to make it again
    this.tiles = null;
  }

  /** What has to be kept besides the file. */
  data() {
    const { key, operations, undone, recipes, info } = this;
    return { key, operations, undone, recipes, id: info.id, name: info.name };
  }

  get result() {
    return shownResult(this.operations);
  }

  get mask() {
    return maskOperations(this.operations);
  }

  get hasMask() {
    return this.mask.some((operation) => !operation.erase);
  }

  /** The mask that the shown result was made with; empty if it was chosen from the history. */
  get lastMask() {
    let before = this.operations;
    while (before.at(-1)?.kind === "fill") {
      before = before.slice(0, -1);
      const mask = maskOperations(before);
      if (mask.length) return mask;
    }
    return [];
  }

  do(operation) {
    this.operations.push(operation);
    this.undone = [];
  }

  undo() {
    if (this.operations.length) this.undone.push(this.operations.pop());
  }

  redo() {
    if (this.undone.length) this.operations.push(this.undone.pop());
  }

  /** A fill that was begun after `count` operations is there; what was painted since stays painted. */
  addResult(result, count, recipe) {
    this.keepResult(result, recipe);
    this.operations.splice(count, 0, { kind: "fill", result: result.number });
    this.undone = [];
  }

  keepResult(result, recipe) {
    this.info.results.push(result);
    this.recipes[result.number - 1] = recipe;
  }

  /** The server lost the photo and got it anew, without results. */
  restart(info) {
    this.tiles?.clear();
    this.info = info;
  }

  /** What was made of results beyond those that are there can't be shown: forget it. */
  dropLostResults() {
    const count = this.info.results.length;
    const there = ({ result }) => result === undefined || result <= count;
    this.recipes.length = count;
    if (this.operations.every(there)) return;
    const { mask } = this;
    this.operations = [...this.operations.filter(there), { kind: "clear" }, ...mask];
    this.undone = this.undone.filter(there);
  }

  /** All operations that may hold bitmaps. */
  get everything() {
    return [...this.operations, ...this.undone, ...this.recipes.flatMap(({ mask }) => mask ?? [])];
  }

  openTiles(onChange, onError) {
    this.tiles = new Tiles(this, onChange, onError);
  }
}
