import { html, live } from "../shared/lit.js";
import { icon } from "../shared/icons.js";

/**
 * How many: two buttons and a number that can be typed.
 *
 * @param {{ value: number, most: number, name: string, set: (next: number) => void }} what
 */
export function quantity({ value, most, name, set }) {
  /** @param {number} next */
  const within = (next) => Math.min(Math.max(Math.trunc(next) || 1, 1), Math.max(most, 1));
  return html`<div class="quantity" role="group" aria-label="Quantity of ${name}">
    <button type="button" aria-label="One less" ?disabled=${value <= 1} @click=${() => set(within(value - 1))}>${icon("minus")}</button>
    <input type="number" inputmode="numeric" aria-label="Quantity" min="1" max=${most} .value=${live(String(value))}
      @change=${(/** @type {Event} */ event) => set(within(Number(/** @type {HTMLInputElement} */ (event.target).value)))} />
    <button type="button" aria-label="One more" ?disabled=${value >= most} @click=${() => set(within(value + 1))}>${icon("plus")}</button>
  </div>`;
}
