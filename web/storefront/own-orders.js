// The orders that were placed in this browser without an account: their tokens are all that shows them.

import { local } from "../shared/storage.js";

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
