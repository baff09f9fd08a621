// A form that is sent to the API: once at a time, with the mistakes beside the fields.

import { html, nothing, signal } from "../vendor/lit.js";
import { Refused, explain } from "./api.js";
import { focusMistake, notice } from "./parts.js";

/**
 * @param {(values: Record<string, string>, form: HTMLFormElement) => Promise<void>} send
 * @param {(error: unknown) => unknown} [words] of a refusal that the page explains better
 */
export function form(send, words = () => undefined) {
  const busy = signal(false);
  const problem = signal(/** @type {unknown} */ (undefined));

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (busy.peek()) return;
    const element = /** @type {HTMLFormElement} */ (event.target);
    busy.value = true;
    problem.value = undefined;
    try {
      const values = [...new FormData(element)].map(([name, value]) => [name, String(value)]);
      await send(Object.fromEntries(values), element);
    } catch (error) {
      problem.value = error;
      focusMistake(element);
    } finally {
      busy.value = false;
    }
  }

  return {
    submit,
    busy,
    /** The mistake in a field. @param {string} pointer */
    about: (pointer) => (problem.value instanceof Refused ? problem.value.about(pointer)?.detail : undefined),
    /** What is wrong with all of it, where no field says so. @param {string[]} [pointers] those that have a field */
    trouble: (pointers = []) => {
      const error = problem.value;
      if (error === undefined) return nothing;
      const isShown = error instanceof Refused && error.problem.errors?.some((one) => pointers.includes(one.pointer));
      return isShown ? nothing : notice("bad", words(error) ?? explain(error));
    },
    /** @param {string} label @param {string} during */
    button: (label, during) => html`<button class="button wide" aria-disabled=${busy.value ? "true" : "false"}>${busy.value ? html`<span class="spinner" aria-hidden="true"></span>${during}` : label}</button>`,
  };
}
