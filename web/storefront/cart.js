// The cart: ids and quantities, kept by the browser and shared by its tabs. Names and prices are always asked for.

import { computed, signal } from "../vendor/lit.js";
import { local } from "../shared/storage.js";

/** @typedef {{ id: string, quantity: number }} Line */

const KEY = "cart";
export const LINES_AT_MOST = 100;
/** A guest may order as many of a product. */
export const QUANTITY_AT_MOST = 100;

/** @returns {Line[]} */
function kept() {
  const value = local.read(KEY);
  if (!Array.isArray(value)) return [];
  return value
    .filter((line) => typeof line?.id === "string" && Number.isInteger(line?.quantity) && line.quantity > 0)
    .slice(0, LINES_AT_MOST)
    .map(({ id, quantity }) => ({ id, quantity: Math.min(quantity, QUANTITY_AT_MOST) }));
}

/** @type {import("../vendor/lit.js").Signal<Line[]>} */
export const lines = signal(kept());
export const count = computed(() => lines.value.reduce((sum, { quantity }) => sum + quantity, 0));

addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) lines.value = kept();
});

/** @param {Line[]} next */
function write(next) {
  local.write(KEY, next.length > 0 ? next : undefined);
  lines.value = next;
}

/**
 * @param {string} id
 * @param {number} quantity
 * @returns {boolean} whether there was room for it
 */
export function add(id, quantity) {
  const now = kept();
  const line = now.find((one) => one.id === id);
  if (line === undefined && now.length >= LINES_AT_MOST) return false;
  if (line === undefined) now.push({ id, quantity });
  else line.quantity = Math.min(line.quantity + quantity, QUANTITY_AT_MOST);
  write(now);
  return true;
}

/** @param {string} id @param {number} quantity 0 takes it out */
export function set(id, quantity) {
  write(kept().flatMap((line) => (line.id === id ? (quantity > 0 ? [{ id, quantity }] : []) : [line])));
}

/** Whether the cart has these lines, whatever this tab has heard of the others. @param {{ product_id: string, quantity: number }[]} items */
export const isStill = (items) =>
  JSON.stringify(kept()) === JSON.stringify(items.map(({ product_id, quantity }) => ({ id: product_id, quantity })));

export const clear = () => write([]);
