// The one place that names the vendored modules: a page imports from here.

export { html, nothing, render, svg } from "../vendor/lit-html/lit-html.js";
export { live } from "../vendor/lit-html/directives/live.js";
export { ref } from "../vendor/lit-html/directives/ref.js";
export { repeat } from "../vendor/lit-html/directives/repeat.js";
export { Signal, batch, computed, effect, signal, untracked } from "../vendor/signals-core/signals-core.js";
