// All texts of the page, a row each: English first, which is the key.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", zh: "中文" };

export const STRINGS = [
];
