// Words and signs that several pages of the console show.

import { html, nothing } from "../vendor/lit.js";

/** @param {string} status */
export const sign = (status) => html`<span class="status ${status}">${status.replaceAll("_", " ")}</span>`;

/** @param {string} text */
export const moment = (text) =>
  html`<time datetime=${text} title=${text}>${new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(text))}</time>`;

/** @param {string} id */
export const orderLink = (id) => html`<a class="mono" href="/console/orders/${encodeURIComponent(id)}">${id}</a>`;
/** @param {string} id @param {string} [name] */
export const productLink = (id, name) => html`<a class=${name === undefined ? "mono" : ""} href="/console/products/${encodeURIComponent(id)}">${name ?? id}</a>`;
/** @param {string | null | undefined} id */
export const userLink = (id) => (id ? html`<a class="mono" href="/console/users/${encodeURIComponent(id)}">${id}</a>` : html`<span class="quiet-text">guest</span>`);

/** @param {[string, unknown][]} facts */
export const facts = (facts) =>
  html`<dl class="list">${facts.map(([name, value]) => (value === undefined || value === nothing ? nothing : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>`;
