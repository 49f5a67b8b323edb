// Fill a hole in the browser as regionwise.filling does in Python: windows at the photo's own scale, a
// network that sees them, and a composite that fades in inside the hole and touches no known pixel.
//
// Pictures are Float32Array planes, channel after channel, in [0, 1]; masks are Uint8Array, 1 = missing.

import { changedBits } from "./mask_file.js";

const VIEW = 512;
const CONTEXT = VIEW / 8;
const CORE = VIEW - 2 * CONTEXT;
const FEATHER = 2;
const MARGIN = 32;
const TILE = 512;
const RELAXATIONS = 4;

/**
 * Fill a photo's hole.
 *
 * `photo` is {width, height, rgba}, `hole` a Uint8Array of its size; `network(image, mask, rows, columns)`
 * gives a window's answer. Gives {box: [x, y, width, height], color (rgb bytes), hole} for each group.
 */
export async function fillHole(photo, hole, network, { feather = null, onStep = () => {}, check = () => {} } = {}) {
  const groups = planWindows(hole, photo.width, photo.height);
  const count = groups.reduce((sum, group) => sum + group.windows.length, 0);
  const patches = [];
  let done = 0;
  for (const group of groups) {
    const canvas = new GroupCanvas(photo, hole, group, feather);
    for (const window of group.windows) {
      check();
      const [image, mask] = readWindow(photo, hole, window);
      canvas.paint(window, await network(image, mask, window.rows, window.columns));
      done += 1;
      onStep(done / count);
    }
    patches.push(canvas.patch());
  }
  return patches;
}

// Windows, as regionwise.filling.windows

export function planWindows(hole, width, height) {
  const whole = contentOf(hole, width, 0, 0, width, height);
  if (!whole) return [];
  if (Math.max(width, height) <= VIEW) {
    const window = { top: 0, left: 0, height, width, rows: height, columns: width };
    return [{ top: 0, left: 0, height, width, hole: hole.slice(), windows: [window] }];
  }
  const groups = Math.max(whole.width, whole.height) <= CORE
    ? [cutOut(hole, width, whole)]
    : [...separated(hole, width, whole)];
  for (const group of groups) group.windows = [...windowsOf(group, hole, width, height)];
  return groups;
}

/** The box of what is missing in a rectangle; null for nothing. */
function contentOf(hole, width, left, top, right, bottom) {
  let [first, last, start, end] = [Infinity, -1, Infinity, -1];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      if (!hole[y * width + x]) continue;
      if (y < first) first = y;
      last = y;
      if (x < start) start = x;
      if (x > end) end = x;
    }
  }
  return last < 0 ? null : { left: start, top: first, width: end - start + 1, height: last - first + 1 };
}

function cutOut(hole, stride, { left, top, width, height }, belongs = () => true) {
  const part = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      part[y * width + x] = hole[(top + y) * stride + left + x] && belongs(left + x, top + y) ? 1 : 0;
    }
  }
  return { left, top, width, height, hole: part };
}

/** Groups of holes that touch neighbouring cells. */
function* separated(hole, stride, whole) {
  const cell = VIEW / 8;
  const columns = Math.ceil(whole.width / cell);
  const rows = Math.ceil(whole.height / cell);
  const labels = new Int32Array(rows * columns);
  for (let y = 0; y < whole.height; y += 1) {
    for (let x = 0; x < whole.width; x += 1) {
      if (!hole[(whole.top + y) * stride + whole.left + x]) continue;
      labels[Math.floor(y / cell) * columns + Math.floor(x / cell)] = -1;
    }
  }
  let number = 0;
  for (let start = 0; start < labels.length; start += 1) {
    if (labels[start] !== -1) continue;
    number += 1;
    const open = [start];
    labels[start] = number;
    while (open.length) {
      const at = open.pop();
      const [row, column] = [Math.floor(at / columns), at % columns];
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y += 1) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x += 1) {
          if (labels[y * columns + x] !== -1) continue;
          labels[y * columns + x] = number;
          open.push(y * columns + x);
        }
      }
    }
    const own = number;
    const belongs = (x, y) =>
      labels[Math.floor((y - whole.top) / cell) * columns + Math.floor((x - whole.left) / cell)] === own;
    const loose = cutOut(hole, stride, whole, belongs);
    const box = contentOf(loose.hole, loose.width, 0, 0, loose.width, loose.height);
    const moved = { ...box, left: box.left + whole.left, top: box.top + whole.top };
    yield cutOut(hole, stride, moved, belongs);
  }
}

function* windowsOf(group, hole, width, height) {
  const scale = scaleOf(group, hole, width, height);
  const longest = Math.max(width, height);
  const core = VIEW * scale < longest ? CORE * scale : longest;
  for (const [top, bottom] of evenly(group.height, core)) {
    for (const [left, right] of evenly(group.width, core)) {
      const piece = contentOf(group.hole, group.width, left, top, right, bottom);
      if (!piece) continue;
      const [y, tall, rows] = span(group.top + piece.top, piece.height, height, scale);
      const [x, wide, columns] = span(group.left + piece.left, piece.width, width, scale);
      yield { top: y, left: x, height: tall, width: wide, rows, columns };
    }
  }
}

function evenly(extent, longest) {
  const count = Math.ceil(extent / longest);
  const edge = (number) => Math.floor((extent * number) / count);
  return Array.from({ length: count }, (_, number) => [edge(number), edge(number + 1)]);
}

/** Start and length in photo pixels, and length as seen. */
function span(start, extent, photo, scale) {
  const wanted = extent / scale + Math.max(extent / scale, 2 * CONTEXT);
  const seen = [VIEW / 2, (VIEW * 3) / 4, VIEW].find((size) => size >= wanted) ?? VIEW;
  const length = Math.round(seen * scale);
  if (length >= photo) return [0, photo, Math.min(photo, Math.max(1, Math.round(photo / scale)))];
  const middle = start + Math.floor(extent / 2);
  return [Math.min(Math.max(0, middle - Math.floor(length / 2)), photo - length), length, seen];
}

function scaleOf(group, hole, width, height) {
  const bounds = [[group.top, group.height, height], [group.left, group.width, width]];
  const bound = Math.min(...bounds.map(([start, extent, photo]) =>
    extent * [1, 2, Infinity][Number(start === 0) + Number(start + extent === photo)],
  ));
  if (bound <= VIEW / 2) return 1;
  const scale = thickness(group, hole, width, height) / (VIEW / 2);
  if (scale <= 1) return 1;
  const oneWindow = Math.max(group.width, group.height) / CORE;
  const chosen = scale < oneWindow && oneWindow <= 1.5 * scale ? oneWindow : scale;
  return Math.max(1, Math.min(chosen, Math.max(width, height) / VIEW));
}

/** Diameter of the largest circle in the hole, on a grid of some pixels. */
function thickness(group, hole, width, height) {
  const step = VIEW / 64;
  const top = Math.max(0, group.top - step);
  const left = Math.max(0, group.left - step);
  const rows = Math.ceil((Math.min(height, group.top + group.height + step) - top) / step);
  const columns = Math.ceil((Math.min(width, group.left + group.width + step) - left) / step);
  const known = [];
  const missing = new Uint8Array(rows * columns).fill(1);
  for (let y = 0; y < rows * step && top + y < height; y += 1) {
    for (let x = 0; x < columns * step && left + x < width; x += 1) {
      if (!hole[(top + y) * width + left + x]) missing[Math.floor(y / step) * columns + Math.floor(x / step)] = 0;
    }
  }
  for (let at = 0; at < missing.length; at += 1) {
    if (!missing[at]) known.push([Math.floor(at / columns), at % columns]);
  }
  if (!known.length) return 2 * Math.max(width, height);
  let widest = 0;
  for (let at = 0; at < missing.length; at += 1) {
    if (!missing[at]) continue;
    let nearest = Infinity;
    for (const [y, x] of known) {
      nearest = Math.min(nearest, (y - Math.floor(at / columns)) ** 2 + (x - (at % columns)) ** 2);
    }
    widest = Math.max(widest, nearest);
  }
  return 2 * step * Math.sqrt(widest);
}

// What a network sees, as regionwise.filling.canvas

function readWindow(photo, hole, { top, left, height, width, rows, columns }) {
  const image = new Float32Array(3 * rows * columns);
  const mask = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const [y0, y1] = [0, 1].map((next) => top + Math.floor(((row + next) * height) / rows));
    for (let column = 0; column < columns; column += 1) {
      const [x0, x1] = [0, 1].map((next) => left + Math.floor(((column + next) * width) / columns));
      let count = 0;
      const total = [0, 0, 0];
      for (let y = y0; y < y1; y += 1) {
        for (let x = x0; x < x1; x += 1) {
          const at = y * photo.width + x;
          if (hole[at]) continue;
          count += 1;
          for (let channel = 0; channel < 3; channel += 1) total[channel] += photo.rgba[4 * at + channel];
        }
      }
      const seen = count >= 0.5 * (y1 - y0) * (x1 - x0);
      const at = row * columns + column;
      mask[at] = seen ? 0 : 1;
      if (!seen) continue;
      for (let channel = 0; channel < 3; channel += 1) {
        image[channel * rows * columns + at] = total[channel] / count / 255;
      }
    }
  }
  return [image, mask];
}

/** The box of a group of holes, into which its windows are painted; where they overlap they are mixed. */
class GroupCanvas {
  constructor(photo, hole, group, feather) {
    Object.assign(this, { photo, hole, group, feather });
    this.color = new Float32Array(3 * group.width * group.height);
    this.weight = new Float32Array(group.width * group.height);
  }

  paint(window, answer) {
    const { group, photo, hole } = this;
    const scale = Math.max(window.height / window.rows, window.width / window.columns);
    const feather = this.feather ?? FEATHER * scale;
    const margin = MARGIN + Math.ceil(feather);
    const bottom = Math.min(window.top + window.height, group.top + group.height);
    const right = Math.min(window.left + window.width, group.left + group.width);
    for (let top = Math.max(window.top, group.top); top < bottom; top += TILE) {
      for (let left = Math.max(window.left, group.left); left < right; left += TILE) {
        const inner = { top, left, bottom: Math.min(top + TILE, bottom), right: Math.min(left + TILE, right) };
        const outer = {
          top: Math.max(top - margin, window.top),
          left: Math.max(left - margin, window.left),
          bottom: Math.min(inner.bottom + margin, window.top + window.height),
          right: Math.min(inner.right + margin, window.left + window.width),
        };
        const part = enlarged(answer, window, outer);
        this.mix(window, inner, outer, feathered(part, photo, hole, outer, feather));
      }
    }
  }

  mix(window, inner, outer, filled) {
    const { group } = this;
    const wide = outer.right - outer.left;
    const size = wide * (outer.bottom - outer.top);
    for (let y = inner.top; y < inner.bottom; y += 1) {
      for (let x = inner.left; x < inner.right; x += 1) {
        const own = (y - group.top) * group.width + x - group.left;
        if (!group.hole[own]) continue;
        const share = ramp(window.top, window.height, y) * ramp(window.left, window.width, x);
        this.weight[own] += share;
        const at = (y - outer.top) * wide + x - outer.left;
        for (let channel = 0; channel < 3; channel += 1) {
          const value = Math.min(1, Math.max(0, filled[channel * size + at]));
          this.color[3 * own + channel] += share * value;
        }
      }
    }
  }

  patch() {
    const { left, top, width, height, hole } = this.group;
    const color = new Uint8Array(3 * width * height);
    for (let at = 0; at < width * height; at += 1) {
      for (let channel = 0; channel < 3 && hole[at]; channel += 1) {
        color[3 * at + channel] = roundEven((255 * this.color[3 * at + channel]) / this.weight[at]);
      }
    }
    return { box: [left, top, width, height], color, hole };
  }
}

/** As NumPy rounds. */
function roundEven(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

function ramp(start, length, position) {
  const inside = position + 0.5 - start;
  return Math.max(0, Math.min(inside, length - inside) / length);
}

/** The part of an answer under a rectangle of the photo, in photo pixels; larger by linear interpolation. */
function enlarged(answer, { top, left, height, width, rows, columns }, part) {
  const wide = part.right - part.left;
  const tall = part.bottom - part.top;
  const result = new Float32Array(3 * wide * tall);
  for (let y = 0; y < tall; y += 1) {
    const [row, below, down] = place(part.top + y - top, height, rows);
    for (let x = 0; x < wide; x += 1) {
      const [column, beside, along] = place(part.left + x - left, width, columns);
      for (let channel = 0; channel < 3; channel += 1) {
        const at = (r, c) => answer[channel * rows * columns + r * columns + c];
        const above = at(row, column) * (1 - along) + at(row, beside) * along;
        const under = at(below, column) * (1 - along) + at(below, beside) * along;
        result[channel * wide * tall + y * wide + x] = above * (1 - down) + under * down;
      }
    }
  }
  return result;
}

function place(position, extent, seen) {
  const exact = Math.min(seen - 1, Math.max(0, ((position + 0.5) * seen) / extent - 0.5));
  const before = Math.floor(exact);
  return [before, Math.min(seen - 1, before + 1), exact - before];
}

/** An answer that fades in from the hole's border, over a smooth continuation of what is known. */
function feathered(answer, photo, hole, outer, feather) {
  const width = outer.right - outer.left;
  const height = outer.bottom - outer.top;
  const missing = new Uint8Array(width * height);
  const known = new Float32Array(3 * width * height);
  let any = false;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      const from = (outer.top + y) * photo.width + outer.left + x;
      missing[at] = hole[from];
      any ||= !hole[from];
      for (let channel = 0; channel < 3; channel += 1) {
        known[channel * width * height + at] = photo.rgba[4 * from + channel] / 255;
      }
    }
  }
  if (feather <= 0 || !any) return answer;
  const smooth = membrane(known, missing, width, height);
  const strength = fadeIn(missing, width, height, feather);
  for (let at = 0; at < answer.length; at += 1) {
    smooth[at] += strength[at % (width * height)] * (answer[at] - smooth[at]);
  }
  return smooth;
}

function fadeIn(missing, width, height, feather) {
  const steps = Math.ceil(feather);
  const depth = new Float32Array(width * height);
  let inside = missing;
  for (let step = 0; step <= steps; step += 1) {
    for (let at = 0; at < depth.length; at += 1) depth[at] += inside[at];
    if (step < steps) inside = eroded(inside, width, height, step % 2 === 1);
  }
  return depth.map((value) => {
    const rise = Math.min(value / (feather + 1), 1);
    return rise * rise * (3 - 2 * rise);
  });
}

/** Without the pixels that touch a 0; beyond the border all is 1. */
function eroded(flags, width, height, diagonal) {
  const result = flags.slice();
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!flags[y * width + x]) continue;
      for (let dy = -1; dy <= 1; dy += 1) {
        for (let dx = -1; dx <= 1; dx += 1) {
          if (!diagonal && dx && dy) continue;
          const [row, column] = [y + dy, x + dx];
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          if (!flags[row * width + column]) result[y * width + x] = 0;
        }
      }
    }
  }
  return result;
}

/** A smooth fill, as regionwise.classical.membrane: push-pull with relaxation, in single precision. */
export function membrane(image, missing, width, height) {
  const weight = Float32Array.from(missing, (flag) => 1 - flag);
  const levels = [{ value: image.map((one, at) => one * weight[at % weight.length]), weight, width, height }];
  while (Math.max(levels.at(-1).width, levels.at(-1).height) > 1) levels.push(coarser(levels.at(-1)));
  const last = levels.pop();
  let filled = last.value.map((one) => (last.weight[0] > 0 ? one : 0.5));
  let [wide, tall] = [last.width, last.height];
  for (const level of levels.reverse()) {
    filled = doubled(filled, wide, tall, level.width, level.height);
    [wide, tall] = [level.width, level.height];
    for (let round = 0; round < RELAXATIONS; round += 1) {
      filled = smoothed(filled, wide, tall);
      for (let at = 0; at < filled.length; at += 1) {
        const own = level.weight[at % level.weight.length];
        filled[at] = filled[at] * (1 - own) + own * level.value[at];
      }
    }
  }
  return filled.map((one, at) => (missing[at % missing.length] ? one : image[at]));
}

function coarser({ value, weight, width, height }) {
  const [wide, tall] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const fresh = { value: new Float32Array(3 * wide * tall), weight: new Float32Array(wide * tall), width: wide, height: tall };
  for (let y = 0; y < tall; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      let total = 0;
      const sums = [0, 0, 0];
      for (let row = 2 * y; row < Math.min(height, 2 * y + 2); row += 1) {
        for (let column = 2 * x; column < Math.min(width, 2 * x + 2); column += 1) {
          const at = row * width + column;
          total += weight[at];
          for (let channel = 0; channel < 3; channel += 1) {
            sums[channel] += weight[at] * value[channel * width * height + at];
          }
        }
      }
      const at = y * wide + x;
      fresh.weight[at] = Math.min(1, total);
      for (let channel = 0; channel < 3; channel += 1) {
        fresh.value[channel * wide * tall + at] = total > 0 ? sums[channel] / total : 0;
      }
    }
  }
  return fresh;
}

function doubled(small, wide, tall, width, height) {
  const large = new Float32Array(3 * width * height);
  for (let channel = 0; channel < 3; channel += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        large[(channel * height + y) * width + x] = small[(channel * tall + (y >> 1)) * wide + (x >> 1)];
      }
    }
  }
  return large;
}

/** [1, 2, 1]/4 along rows and columns, the edge repeated. */
function smoothed(values, width, height) {
  const rows = new Float32Array(values.length);
  const result = new Float32Array(values.length);
  for (let channel = 0; channel < 3; channel += 1) {
    const start = channel * width * height;
    for (let y = 0; y < height; y += 1) {
      const [above, below] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
      for (let x = 0; x < width; x += 1) {
        rows[start + y * width + x] =
          (2 * values[start + y * width + x] + values[start + above * width + x] + values[start + below * width + x]) / 4;
      }
    }
    for (let y = 0; y < height; y += 1) {
      const row = start + y * width;
      for (let x = 0; x < width; x += 1) {
        const [before, after] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
        result[row + x] = (2 * rows[row + x] + rows[row + before] + rows[row + after]) / 4;
      }
    }
  }
  return result;
}

/** A hole wider by so many pixels. */
export function grown(hole, width, height, pixels) {
  return pixels > 0 ? changedBits(hole, width, height, pixels) : hole;
}
