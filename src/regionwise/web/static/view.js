// Where on the screen the photo lies: CSS pixels = photo pixels × scale + offset.

const LARGEST = 24; // CSS pixels that a photo pixel may take
const MARGIN = 0.025; // of the screen, round a photo that is shown whole

export class View {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.photo = { width: 1, height: 1 };
    this.screen = { width: 1, height: 1 };
    this.fits = true;
  }

  /** Show all of the photo. */
  fit() {
    const { photo, screen } = this;
    const across = Math.max(16, screen.width * (1 - 2 * MARGIN)) / photo.width;
    const down = Math.max(16, screen.height * (1 - 2 * MARGIN)) / photo.height;
    this.scale = Math.min(across, down, LARGEST);
    this.fits = true;
    this.center();
  }

  center() {
    this.x = (this.screen.width - this.photo.width * this.scale) / 2;
    this.y = (this.screen.height - this.photo.height * this.scale) / 2;
  }

  /** The stage or the photo has another size. */
  resize(photo, screen) {
    const before = this.toPhoto(this.screen.width / 2, this.screen.height / 2);
    this.photo = photo;
    this.screen = screen;
    if (this.fits) {
      this.fit();
      return;
    }
    this.x = screen.width / 2 - before.x * this.scale;
    this.y = screen.height / 2 - before.y * this.scale;
    this.keepInSight();
  }

  /** Zoom so that the photo's point at a place of the screen stays there. */
  zoomAt(x, y, factor) {
    const smallest = Math.min(1, this.screen.width / this.photo.width / 2);
    const scale = Math.min(LARGEST, Math.max(Math.min(smallest, this.scale), this.scale * factor));
    this.x = x - (x - this.x) * (scale / this.scale);
    this.y = y - (y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.fits = false;
    this.keepInSight();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.fits = false;
    this.keepInSight();
  }

  /** A part of the photo stays on the screen, whatever is done. */
  keepInSight() {
    const across = this.photo.width * this.scale;
    const down = this.photo.height * this.scale;
    const rest = 60;
    this.x = Math.min(this.screen.width - rest, Math.max(rest - across, this.x));
    this.y = Math.min(this.screen.height - rest, Math.max(rest - down, this.y));
  }

  toPhoto(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  /** The photo's part that is seen, as [left, top, right, bottom]. */
  get area() {
    const first = this.toPhoto(0, 0);
    const last = this.toPhoto(this.screen.width, this.screen.height);
    return [first.x, first.y, last.x, last.y];
  }
}
