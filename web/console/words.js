// Words and signs that several pages of the console show.

import { html, nothing } from "../vendor/lit.js";

/** @param {string} status */
export const sign = (status) => html`<span class="status ${status}">${status.replaceAll("_", " ")}</span>`;

// Made once: to make one takes longer than to draw a row.
const time = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const timeOnly = new Intl.DateTimeFormat(document.documentElement.lang, time);
const withDay = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", ...time });

/** What was today needs no date. @param {string} text */
export function moment(text) {
  const at = new Date(text);
  const format = at.toDateString() === new Date().toDateString() ? timeOnly : withDay;
  return html`<time datetime=${text} title=${text}>${format.format(at)}</time>`;
}

/** @param {string} id */
export const orderLink = (id) => html`<a class="mono" href="/console/orders/${encodeURIComponent(id)}">${id}</a>`;
/** @param {string} id @param {string} [name] */
export const productLink = (id, name) => html`<a class=${name === undefined ? "mono" : ""} href="/console/products/${encodeURIComponent(id)}">${name ?? id}</a>`;
/** @param {string | null | undefined} id */
export const userLink = (id) => (id ? html`<a class="mono" href="/console/users/${encodeURIComponent(id)}">${id}</a>` : html`<span class="quiet-text">guest</span>`);

/** A mail, by what it is about. @param {{ id: string, template: string }} mail */
export const mailLink = ({ id, template }) => html`<a href="/console/mails/${encodeURIComponent(id)}">${template.replaceAll("_", " ")}</a>`;

/** @param {[string, unknown][]} facts */
export const facts = (facts) =>
  html`<dl class="list">${facts.map(([name, value]) => (value === undefined || value === nothing ? nothing : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>`;
