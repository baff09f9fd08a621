// What the pages of the shop and of its console are both made of.

import { html, nothing } from "../vendor/lit.js";
import { icon } from "./icons.js";

/**
 * @param {"info" | "bad" | "good"} kind
 * @param {unknown} content
 */
export const notice = (kind, content) =>
  html`<div class="notice ${kind}" role=${kind === "bad" ? "alert" : "status"}>${icon(kind === "good" ? "circle-check" : "circle-alert")}<div>${content}</div></div>`;

/**
 * A page, or a part of one, that has nothing to show.
 *
 * @param {{ heading: string, text: unknown, action?: unknown, sign?: Parameters<typeof icon>[0], level?: 1 | 2 }} what
 */
export const empty = ({ heading, text, action = nothing, sign = "package", level = 1 }) => html`<div class="empty">
  <span class="sign">${icon(sign)}</span>
  ${level === 1 ? html`<h1>${heading}</h1>` : html`<h2>${heading}</h2>`}
  <p>${text}</p>
  ${action}
</div>`;

/** Nobody answered. @param {() => void} again @param {1 | 2} [level] @param {string} [text] */
export const unreachable = (again, level = 2, text = "Check your connection. What is in your cart stays there.") =>
  empty({
    heading: "We cannot reach the shop",
    text,
    sign: "wifi-off",
    level,
    action: html`<button class="button" @click=${again}>Try again</button>`,
  });

/**
 * A field of a form with its label, hint and mistake.
 *
 * @param {object} field
 * @param {string} field.name
 * @param {string} field.label
 * @param {string} [field.type]
 * @param {string} [field.value]
 * @param {string} [field.autocomplete]
 * @param {string | undefined} [field.hint]
 * @param {string | undefined} [field.mistake]
 * @param {boolean} [field.required]
 * @param {number} [field.max] length
 */
export function field({ name, label, type = "text", value = "", autocomplete, hint, mistake, required = true, max = 254 }) {
  const about = [hint && `${name}-hint`, mistake && `${name}-mistake`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <input id=${name} name=${name} type=${type} .defaultValue=${value} ?required=${required} maxlength=${max}
      autocomplete=${autocomplete ?? "off"} aria-invalid=${mistake ? "true" : "false"} aria-describedby=${about || nothing}
      autocapitalize=${type === "text" ? nothing : "none"} spellcheck=${type === "text" ? nothing : "false"} />
    ${hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : nothing}
    ${mistake ? html`<p class="mistake" id="${name}-mistake">${mistake}</p>` : nothing}
  </div>`;
}

/** After a refusal, the first field that is wrong is where the reader goes on. @param {Element} form */
export const focusMistake = (form) =>
  requestAnimationFrame(() => {
    const wrong = form.querySelector("[aria-invalid=true]");
    if (wrong instanceof HTMLElement) wrong.focus();
  });

/** @param {string} text */
export const when = (text) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
