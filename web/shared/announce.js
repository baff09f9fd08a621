// What a screen reader is told, and what is shown for a moment at the foot of the page.

import { signal } from "../vendor/lit.js";

export const said = signal("");
/** @type {import("../vendor/lit.js").Signal<{ text: string, href?: string, label?: string } | undefined>} */
export const toast = signal(/** @type {any} */ (undefined));

/** @type {number | undefined} */
let timer;

/** @param {string} text */
export function say(text) {
  // The same words a second time are only heard if the region was empty in between.
  said.value = "";
  setTimeout(() => {
    said.value = text;
  }, 50);
}

/** @param {{ text: string, href?: string, label?: string }} what */
export function show(what) {
  toast.value = what;
  say(what.text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    toast.value = undefined;
  }, 6000);
}
