// The mask's colour on the screen.

export const MASK_COLOR = "#ff2e88";
