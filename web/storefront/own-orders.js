// Orders that this browser knows: the tokens of a guest's orders, which are all that shows them, and what the pages saw
// last, so that an order that was just placed is shown at once, to who saw it.

import { user } from "../shared/session.js";
import { local } from "../shared/storage.js";

/** @typedef {import("../shared/api.js").Schemas["Order"]} Order */

/** @type {Map<string, Order>} */
const seen = new Map();

/** @type {string | undefined} */
let seer;

/** @param {string} id */
export function lastSeen(id) {
  if (seer !== user.peek()?.id) seen.clear();
  seer = user.peek()?.id;
  return seen.get(id);
}

/** @param {Order} order */
export function learn(order) {
  lastSeen(order.id);
  seen.set(order.id, order);
}

const KEY = "guest-orders";
const KEPT = 50;

/** @returns {{ id: string, token: string }[]} newest first */
export function guestOrders() {
  const kept = local.read(KEY);
  return Array.isArray(kept) ? kept.filter((one) => typeof one?.id === "string" && typeof one?.token === "string") : [];
}

/** @param {string} id */
export const tokenOf = (id) => guestOrders().find((one) => one.id === id)?.token;

/** @param {string} id @param {string} token */
export function keepToken(id, token) {
  local.write(KEY, [{ id, token }, ...guestOrders().filter((one) => one.id !== id)].slice(0, KEPT));
}
