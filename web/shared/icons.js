// Icons of Lucide 1.62.0 (lucide.dev), https://github.com/lucide-icons/lucide. ISC License, Copyright (c) 2026 Lucide
// Icons and Contributors; search, shopping-bag, user, x, truck, trash-2, minus, plus, check and
// chevron-right derive from Feather, MIT License, Copyright (c) 2013-2026 Cole Bemis. See LICENSE-THIRD-PARTY.

import { html, svg } from "../vendor/lit.js";

const shapes = {
  search: svg`<path d="m21 21-4.34-4.34" /><circle cx="11" cy="11" r="8" />`,
  "shopping-bag": svg`<path d="M16 10a4 4 0 0 1-8 0" /><path d="M3.103 6.034h17.794" /><path d="M3.4 5.467a2 2 0 0 0-.4 1.2V20a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V6.667a2 2 0 0 0-.4-1.2l-2-2.667A2 2 0 0 0 17 2H7a2 2 0 0 0-1.6.8z" />`,
  user: svg`<path d="M19 21v-2a4 4 0 0 0-4-4H9a4 4 0 0 0-4 4v2" /><circle cx="12" cy="7" r="4" />`,
  package: svg`<path d="M11 21.73a2 2 0 0 0 2 0l7-4A2 2 0 0 0 21 16V8a2 2 0 0 0-1-1.73l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.73z" /><path d="M12 22V12" /><polyline points="3.29 7 12 12 20.71 7" /><path d="m7.5 4.27 9 5.15" />`,
  truck: svg`<path d="M14 18V6a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v11a1 1 0 0 0 1 1h2" /><path d="M15 18H9" /><path d="M19 18h2a1 1 0 0 0 1-1v-3.65a1 1 0 0 0-.22-.624l-3.48-4.35A1 1 0 0 0 17.52 8H14" /><circle cx="17" cy="18" r="2" /><circle cx="7" cy="18" r="2" />`,
  check: svg`<path d="M20 6 9 17l-5-5" />`,
  x: svg`<path d="M18 6 6 18" /><path d="m6 6 12 12" />`,
  "chevron-right": svg`<path d="m9 18 6-6-6-6" />`,
  minus: svg`<path d="M5 12h14" />`,
  plus: svg`<path d="M5 12h14" /><path d="M12 5v14" />`,
  "trash-2": svg`<path d="M10 11v6" /><path d="M14 11v6" /><path d="M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6" /><path d="M3 6h18" /><path d="M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2" />`,
  "circle-check": svg`<circle cx="12" cy="12" r="10" /><path d="m16 9-5.5 5.5L8 12" />`,
  "circle-alert": svg`<circle cx="12" cy="12" r="10" /><line x1="12" x2="12" y1="8" y2="12" /><line x1="12" x2="12.01" y1="16" y2="16" />`,
  "wifi-off": svg`<path d="M12 20h.01" /><path d="M8.5 16.429a5 5 0 0 1 7 0" /><path d="M5 12.859a10 10 0 0 1 5.17-2.69" /><path d="M19 12.859a10 10 0 0 0-2.007-1.523" /><path d="M2 8.82a15 15 0 0 1 4.177-2.643" /><path d="M22 8.82a15 15 0 0 0-11.288-3.764" /><path d="m2 2 20 20" />`,
  clock: svg`<circle cx="12" cy="12" r="10" /><path d="M12 6v6l4 2" />`,
  "package-x": svg`<path d="M12 22V12" /><path d="m16.5 14.5 5 5" /><path d="m16.5 19.5 5-5" /><path d="M21 10.5V8a2 2 0 0 0-1-1.73l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.729l7 4a2 2 0 0 0 2 .001l.13-.074" /><path d="M3.29 7 12 12l8.71-5" /><path d="m7.5 4.27 8.997 5.148" />`,
  "log-out": svg`<path d="m16 17 5-5-5-5" /><path d="M21 12H9" /><path d="M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4" />`,
  mail: svg`<path d="m22 7-8.991 5.727a2 2 0 0 1-2.009 0L2 7" /><rect x="2" y="4" width="20" height="16" rx="2" />`,
};

/** Those of the console, which the shop does not fetch. @type {Record<string, unknown>} */
const more = {};
/** @typedef {keyof typeof shapes | "gauge" | "tag" | "chart-line" | "activity" | "layers" | "inbox" | "settings-2"} Name */

/** @param {Record<string, unknown>} others */
export const draw = (others) => void Object.assign(more, others);

/**
 * An icon beside words that say the same: it is nothing to a screen reader.
 *
 * @param {Name} name
 */
export const icon = (name) =>
  html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${more[name] ?? shapes[/** @type {keyof typeof shapes} */ (name)]}</svg>`;

/** The shop's own. @param {number} size */
export const mark = (size) => html`<svg viewBox="0 0 32 32" width=${size} height=${size} aria-hidden="true"><rect class="mark-back" width="32" height="32" rx="8"></rect><path class="mark-bag" d="M10 13h12l1 11H9z"></path><path class="mark-grip" d="M12.5 15v-3a3.5 3.5 0 0 1 7 0v3"></path></svg>`;
