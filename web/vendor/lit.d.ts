// Made by vendor.mjs.
export { html, nothing, render, svg } from "lit-html";
export { live } from "lit-html/directives/live.js";
export { Signal, batch, computed, effect, signal, untracked } from "@preact/signals-core";
