// What fingers, pens, mice and wheels do on the stage: paint, move, zoom.

const PRESSURE_FLOOR = 0.3; // of the brush, for a pen that hardly touches
const SMALLEST_BOX = 8; // CSS pixels; less is a click
const SECOND_FINGER = 300; // milliseconds in which a second finger makes a pinch of a stroke

export class Gestures {
  /**
   * `stage` is a Stage. `tool()` gives {name, radius (CSS pixels), erase}, `canPaint()` whether there
   * is something to paint on, `onPaint(operation)` gets what was painted, `onSelect({points, box, add,
   * erase})` what was clicked on or boxed.
   */
  constructor(stage, { tool, canPaint, onPaint, onSelect }) {
    Object.assign(this, { stage, tool, canPaint, onPaint, onSelect });
    this.pointers = new Map();
    this.mode = null; // "paint", "pan" or "pinch"
    this.spaceHeld = false;
    this.penSeen = false;
    const { element } = stage;
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.cancel(event));
    element.addEventListener("pointerleave", () => this.hideCursor());
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("mousedown", (event) => {
      if (event.button === 1) event.preventDefault(); // or some browsers scroll by themselves
    });
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  place(event) {
    const box = this.stage.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  down(event) {
    if (event.target.closest("button, input, a") || !this.stage.photo) return;
    this.stage.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    if (event.pointerType === "pen") this.penSeen = true;
    if (this.pointers.size === 2) {
      this.beginPinch();
      return;
    }
    if (this.pointers.size > 2) return;
    // Where a pen is used, a finger or the palm beside it does not paint.
    const byPalm = event.pointerType === "touch" && this.penSeen;
    const moves = this.tool().name === "hand" || this.spaceHeld || event.button === 1 || byPalm;
    if (moves) this.mode = "pan";
    else if (event.button === 0 && this.canPaint()) this.beginPaint(event);
    this.stage.element.classList.toggle("panning", this.mode === "pan");
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    const now = this.place(event);
    this.showCursor(event, now);
    if (!last) return;
    this.pointers.set(event.pointerId, now);
    if (this.mode === "pinch") this.pinch();
    if (this.mode === "pan") this.stage.view.move(now.x - last.x, now.y - last.y);
    if (this.mode === "paint") this.paint(event);
    this.stage.redraw();
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.mode === "paint") this.endPaint();
    if (this.mode === "pinch" && this.pointers.size === 1) return; // the other finger goes too
    if (this.pointers.size === 0) this.mode = null;
    this.stage.element.classList.remove("panning");
  }

  cancel(event) {
    if (this.mode === "paint") this.drop();
    this.up(event);
  }

  /** Forget what is being painted. */
  drop() {
    if (!this.stage.live) return false;
    this.stage.live = null;
    this.mode = "dropped";
    this.stage.maskChanged();
    return true;
  }

  // Painting

  beginPaint(event) {
    const { name, erase } = this.tool();
    const { x, y } = this.photoPlace(event);
    const from = event.shiftKey && this.last?.photo === this.stage.photo ? [this.last.point] : [];
    const shape = {
      brush: () => ({ kind: "brush", points: [...from, [x, y, this.radius(event)]] }),
      select: () => ({ kind: "select", x, y, width: 0, height: 0 }),
      rectangle: () => ({ kind: "rectangle", x, y, width: 0, height: 0 }),
      lasso: () => ({ kind: "lasso", points: [[x, y]] }),
    }[name]();
    this.mode = "paint";
    this.began = { x, y, time: event.timeStamp };
    this.stage.live = { ...shape, erase: erase !== event.altKey };
    if (name === "select") this.began.add = event.shiftKey;
    this.stage.extendLive(0);
  }

  paint(event) {
    const { live } = this.stage;
    if (live.kind === "rectangle" || live.kind === "select") {
      const { x, y } = this.photoPlace(event);
      live.x = Math.round(Math.min(x, this.began.x));
      live.y = Math.round(Math.min(y, this.began.y));
      live.width = Math.round(Math.max(x, this.began.x)) - live.x;
      live.height = Math.round(Math.max(y, this.began.y)) - live.y;
      return;
    }
    const from = live.points.length;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.addPoint(one);
    if (live.points.length > from) this.stage.extendLive(from);
  }

  addPoint(event) {
    const { live, view } = this.stage;
    const { x, y } = this.photoPlace(event);
    const [lastX, lastY] = live.points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) * view.scale < 0.75) return; // of a CSS pixel
    live.points.push(live.kind === "brush" ? [x, y, this.radius(event)] : [x, y]);
  }

  endPaint() {
    const { live } = this.stage;
    if (!live) return;
    if (live.kind === "select") {
      this.endSelect(live);
      return;
    }
    const empty =
      (live.kind === "rectangle" && !(live.width && live.height)) ||
      (live.kind === "lasso" && live.points.length < 3);
    if (empty) {
      this.drop();
      return;
    }
    if (live.kind === "brush") this.last = { photo: this.stage.photo, point: live.points.at(-1) };
    this.onPaint(live); // before it is no longer drawn as the live one
    this.stage.live = null;
    if (live.kind !== "brush" || this.stage.feather) this.stage.maskChanged();
  }

  /** A click selects the thing under it, a drag the thing in its box. */
  endSelect({ x, y, width, height, erase }) {
    this.stage.live = null;
    this.stage.redraw();
    const how = { add: this.began.add, erase };
    const dragged = Math.max(width, height) * this.stage.view.scale >= SMALLEST_BOX;
    if (dragged) this.onSelect({ box: [x, y, width, height].map(Math.round), ...how });
    else this.onSelect({ points: [{ x: Math.floor(this.began.x), y: Math.floor(this.began.y) }], ...how });
  }

  /** In photo pixels, to a tenth of one. */
  photoPlace(event) {
    const { x, y } = this.place(event);
    const point = this.stage.view.toPhoto(x, y);
    return { x: Math.round(point.x * 10) / 10, y: Math.round(point.y * 10) / 10 };
  }

  radius(event) {
    const full = this.tool().radius / this.stage.view.scale;
    const pressed = event.pointerType === "pen" && event.pressure > 0;
    const part = pressed ? PRESSURE_FLOOR + (1 - PRESSURE_FLOOR) * event.pressure : 1;
    return Math.max(0.5, Math.round(full * part * 10) / 10);
  }

  // Two fingers and the wheel

  beginPinch() {
    const { live } = this.stage;
    const fresh = this.began && performance.now() - this.began.time < SECOND_FINGER;
    if (this.mode === "paint" && live) {
      if (fresh || live.points?.length < 8) this.drop();
      else this.endPaint();
    }
    this.mode = "pinch";
    this.spread = this.fingers();
  }

  fingers() {
    const [one, other] = [...this.pointers.values()];
    return {
      x: (one.x + other.x) / 2,
      y: (one.y + other.y) / 2,
      distance: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
    };
  }

  pinch() {
    if (this.pointers.size < 2) return;
    const now = this.fingers();
    const { view } = this.stage;
    view.move(now.x - this.spread.x, now.y - this.spread.y);
    view.zoomAt(now.x, now.y, now.distance / this.spread.distance);
    this.spread = now;
  }

  wheel(event) {
    if (!this.stage.photo) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const { x, y } = this.place(event);
    if (event.shiftKey) {
      this.stage.view.move(-(event.deltaX + event.deltaY) * lines, 0);
    } else {
      const speed = event.ctrlKey ? 0.01 : 0.0016; // ctrl is how browsers tell a touchpad's pinch
      this.stage.view.zoomAt(x, y, Math.exp(-event.deltaY * lines * speed));
    }
    this.showCursor(event, { x, y });
    this.stage.redraw();
  }

  // The brush's circle

  showCursor(event, { x, y }) {
    const { name, radius } = this.tool();
    const shown = name === "brush" && event.pointerType !== "touch" && this.mode !== "pan";
    const over = event.target === this.stage.element || event.target.closest?.("canvas");
    this.stage.cursor = shown && over && !this.spaceHeld ? { x, y, radius } : null;
    this.stage.redraw();
  }

  hideCursor() {
    this.stage.cursor = null;
    this.stage.redraw();
  }
}
