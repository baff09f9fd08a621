// How the shop is set: its parameters, and what the code decides.

import { html, nothing, signal } from "../../vendor/lit.js";
import { ask, explain } from "../../shared/api.js";
import { unreachable } from "../../shared/parts.js";

/** @typedef {import("../../shared/api.js").Schemas["Setting"]} Setting */

/** @type {[Setting["group"], string][]} */
const GROUPS = [
  ["shop", "The shop and its mails"],
  ["limits", "Limits"],
  ["access", "Who is let in"],
  ["data", "What is kept"],
  ["running", "How it runs"],
  ["recovery", "What becomes of what fails"],
];
/** @type {Record<string, string>} */
const WORDS = { true: "yes", false: "no" };

/** @type {import("../../shared/router.js").Setup} */
export const settings = () => {
  const shown = signal(/** @type {{ release: string, data: Setting[] } | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));

  async function load() {
    failure.value = undefined;
    try {
      shown.value = (await ask("GET", "/monitor/settings")).data;
    } catch (error) {
      failure.value = error;
    }
  }
  const ready = load();

  /** @param {Setting} one */
  const row = ({ about, value, parameter }) => html`<tr><th scope="row">${about}</th><td class="text">${value ? (WORDS[value] ?? value) : html`<span class="quiet-text">none</span>`}</td><td>${!parameter ? nothing : html`<code>${parameter}</code>`}</td></tr>`;

  return {
    title: () => "Settings",
    ready,
    view: () => {
      const all = shown.value;
      if (failure.value !== undefined) return unreachable(load, 1, explain(failure.value));
      return html`<h1>Settings</h1>${all === undefined
        ? html`<div class="skeleton"><span class="bone tall"></span></div>`
        : html`<p>Release ${all.release}. A parameter is changed by a deployment; what has none is decided in the code.</p>
          ${GROUPS.map(([group, name]) => html`<section class="panel" aria-labelledby=${group}><h2 id=${group}>${name}</h2>
            <div class="scroll" tabindex="0" role="region" aria-label=${name}><table class="table settings"><thead><tr><th scope="col">What</th><th scope="col">Set to</th><th scope="col">Parameter</th></tr></thead><tbody>${all.data.filter((one) => one.group === group).map(row)}</tbody></table></div></section>`)}`}`;
    },
  };
};
