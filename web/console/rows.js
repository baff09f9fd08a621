// Rows that are read page by page.

import { batch, html, nothing, signal } from "../vendor/lit.js";
import { ask, explain } from "../shared/api.js";
import { notice } from "../shared/parts.js";

/**
 * @template T
 * @param {() => string} path of the list, with its filter
 */
export function rows(path) {
  const all = signal(/** @type {T[] | undefined} */ (undefined));
  const cursor = signal(/** @type {string | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const busy = signal(false);
  /** What else the last answer says: how many there are, how far it looked. */
  const answer = signal(/** @type {Record<string, any> | undefined} */ (undefined));
  let asked = 0;
  let isDeep = false;

  /** @param {boolean} [more] */
  async function read(more = false) {
    const mine = ++asked;
    isDeep = more;
    busy.value = true;
    const first = path();
    const after = more && cursor.peek() ? `${first.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor.peek() ?? "")}` : "";
    try {
      const { data } = await ask("GET", first + after);
      if (mine !== asked) return;
      batch(() => {
        all.value = [...(more ? (all.peek() ?? []) : []), ...data.data];
        cursor.value = data.next_cursor ?? undefined;
        answer.value = data;
        failure.value = undefined;
        busy.value = false;
      });
    } catch (error) {
      if (mine !== asked) return;
      batch(() => {
        failure.value = error;
        busy.value = false;
      });
    }
  }

  /**
   * @param {string[]} heads those that begin with `#` are of numbers
   * @param {(one: T) => unknown} row
   * @param {string} none
   */
  function view(heads, row, none) {
    const shown = all.value;
    const trouble = failure.value === undefined ? nothing : notice("bad", html`${explain(failure.value)} <button class="link" @click=${() => read()}>Try again</button>`);
    if (shown === undefined) return failure.value === undefined ? html`<div class="skeleton" aria-hidden="true">${Array.from({ length: 6 }, () => html`<span class="bone row-bone"></span>`)}</div>` : trouble;
    if (shown.length === 0 && cursor.value === undefined) return html`${trouble}<p class="none">${none}</p>`;
    return html`${trouble}<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="table">
        <thead><tr>${heads.map((head) => html`<th scope="col" class=${head.startsWith("#") ? "number" : ""}>${head.replace("#", "")}</th>`)}</tr></thead>
        <tbody>${shown.map(row)}</tbody></table></div>
      ${cursor.value === undefined ? nothing : html`<p class="more"><button class="button quiet small" ?disabled=${busy.value} @click=${() => read(true)}>Show more</button></p>`}`;
  }

  /** Whether more than the first page was asked for: to read anew would take it away. */
  return { all, read, view, failure, answer, isDeep: () => isDeep };
}
