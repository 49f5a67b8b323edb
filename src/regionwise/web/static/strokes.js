// A mask as what was painted, in photo pixels and in order. Nothing here depends on a screen's size.
//
// An operation is plain data, so that it can be stored and sent:
//   {kind: "brush", erase, points: [[x, y, radius], ...]}
//   {kind: "rectangle", erase, x, y, width, height}
//   {kind: "lasso", erase, points: [[x, y], ...]}
//   {kind: "bitmap", erase, x, y, width, height, blob, found, anew}   a PNG, white is missing (see
//      bitmaps.js); found by what; anew: in place of all before
//   {kind: "invert"}, {kind: "clear"}
//   {kind: "paste", operations, scaleX, scaleY}      the mask of another photo
//   {kind: "fill", result}, {kind: "show", result}   from here on a result is what is seen

import { bitmapOf } from "./bitmaps.js";

const STARTS_ANEW = new Set(["clear", "fill", "show"]);

/** The operations that make up the mask now: those since it was last empty. */
export function maskOperations(operations) {
  const last = operations.findLastIndex(({ kind, anew }) => anew || STARTS_ANEW.has(kind));
  return operations.slice(operations[last]?.anew ? last : last + 1);
}

/** The number of the result that is seen after these operations; 0 is the photo as it came. */
export function shownResult(operations) {
  return operations.findLast(({ kind }) => kind === "fill" || kind === "show")?.result ?? 0;
}

/** Draw a mask, opaque where it is; the context's transform leads from photo pixels to its own. */
export function drawMask(context, operations, width, height) {
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  for (const operation of operations) drawOperation(context, operation, width, height);
  context.restore();
}

/** Draw one operation over what is drawn already. */
export function drawOperation(context, operation, width, height) {
  context.globalCompositeOperation = operation.erase ? "destination-out" : "source-over";
  switch (operation.kind) {
    case "brush":
      drawBrush(context, operation.points);
      break;
    case "rectangle":
      context.fillRect(operation.x, operation.y, operation.width, operation.height);
      break;
    case "lasso":
      context.beginPath();
      for (const [x, y] of operation.points) context.lineTo(x, y);
      context.closePath();
      context.fill();
      break;
    case "bitmap": {
      const smooth = context.imageSmoothingEnabled;
      context.imageSmoothingEnabled = false;
      context.drawImage(bitmapOf(operation), operation.x, operation.y, operation.width, operation.height);
      context.imageSmoothingEnabled = smooth;
      break;
    }
    case "invert":
      context.globalCompositeOperation = "xor";
      context.fillRect(0, 0, width, height);
      break;
    case "paste": {
      const { scaleX, scaleY } = operation;
      context.save();
      context.scale(scaleX, scaleY);
      for (const inner of operation.operations) {
        drawOperation(context, inner, width / scaleX, height / scaleY);
      }
      context.restore();
    }
  }
}

/** Draw a brush's path, or the part of it from the point number `from` on. */
export function drawBrush(context, points, from = 0) {
  context.lineCap = "round";
  context.lineJoin = "round";
  if (points.length === 1) {
    const [x, y, radius] = points[0];
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const start = Math.max(1, from);
  const even = points.every((point) => point[2] === points[0][2]);
  if (even) {
    context.lineWidth = 2 * points[0][2];
    context.beginPath();
    for (const [x, y] of points.slice(start - 1)) context.lineTo(x, y);
    context.stroke();
    return;
  }
  for (let index = start; index < points.length; index += 1) {
    const [x, y, radius] = points[index];
    const [lastX, lastY, lastRadius] = points[index - 1];
    context.lineWidth = radius + lastRadius;
    context.beginPath();
    context.moveTo(lastX, lastY);
    context.lineTo(x, y);
    context.stroke();
  }
}

/** The whole pixels that a mask may touch, as {x, y, width, height}; null for none. */
export function maskBounds(operations, width, height) {
  let box = null;
  for (const operation of operations) {
    if (!operation.erase) box = joined(box, operationBox(operation, width, height));
  }
  if (!box) return null;
  const left = Math.max(0, Math.floor(box[0]) - 1);
  const top = Math.max(0, Math.floor(box[1]) - 1);
  const right = Math.min(width, Math.ceil(box[2]) + 1);
  const bottom = Math.min(height, Math.ceil(box[3]) + 1);
  if (right <= left || bottom <= top) return null;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function operationBox(operation, width, height) {
  switch (operation.kind) {
    case "brush":
      return pointsBox(operation.points, (point) => point[2]);
    case "bitmap":
    case "rectangle": {
      const { x, y } = operation;
      return [x, y, x + operation.width, y + operation.height];
    }
    case "lasso":
      return pointsBox(operation.points, () => 0);
    case "invert":
      return [0, 0, width, height];
    case "paste": {
      const { scaleX, scaleY } = operation;
      let box = null;
      for (const inner of operation.operations) {
        if (!inner.erase) box = joined(box, operationBox(inner, width / scaleX, height / scaleY));
      }
      return box && [box[0] * scaleX, box[1] * scaleY, box[2] * scaleX, box[3] * scaleY];
    }
    default:
      return null;
  }
}

function pointsBox(points, radiusOf) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const point of points) {
    const radius = radiusOf(point);
    box[0] = Math.min(box[0], point[0] - radius);
    box[1] = Math.min(box[1], point[1] - radius);
    box[2] = Math.max(box[2], point[0] + radius);
    box[3] = Math.max(box[3], point[1] + radius);
  }
  return box;
}

function joined(one, other) {
  if (!one || !other) return one ?? other;
  return [
    Math.min(one[0], other[0]),
    Math.min(one[1], other[1]),
    Math.max(one[2], other[2]),
    Math.max(one[3], other[3]),
  ];
}
