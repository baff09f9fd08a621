// Who is signed in. The access token is in memory only. What renews it is a cookie that no script can read
// (docs/decisions/0061).

import { read, send } from "./api.js";
import { signal } from "../vendor/lit.js";
import { local } from "./storage.js";

/** @typedef {import("../types/api.js").components["schemas"]["Tokens"]} Tokens */

const LOCK = "session";
/** Says that this browser has a session, so that a guest's page need not ask. It proves nothing. */
const HINT = "session.hint";
/** Of the last log-in: it keeps guesses of others from locking this browser out, and proves nothing else. */
const DEVICE = "session.device";
/** Renewed this long before its end, so that no request meets a token that runs out on its way. */
const MARGIN = 30_000;
/** Milliseconds for which one who signs out waits for another tab that is just renewing the session. */
const PATIENCE = 2_000;

/** The requests carry `Session-Transport: cookie` (api.js adds it to all), and the browser does the rest. */
const transport = {
  /** @param {string} email @param {string} password */
  async signIn(email, password) {
    const device = local.read(DEVICE);
    const body = { email, password, ...(typeof device === "string" && { device_token: device }) };
    return keep((await read(await send("POST", "/sessions", { body }, undefined))).data);
  },
  async refresh() {
    return keep((await read(await send("POST", "/sessions/refresh", {}, undefined))).data);
  },
  /** @param {string | undefined} token */
  async signOut(token) {
    await read(await send("DELETE", "/sessions/current", { outlives: true }, token));
  },
};

/** @param {Tokens} session */
function keep(session) {
  if (session.device_token) local.write(DEVICE, session.device_token);
  return session;
}

/** @type {Access | undefined} */
let access;

/**
 * Who uses this page: `undefined` while that is being found out, `null` for a guest.
 *
 * @type {import("../vendor/lit.js").Signal<{ id: string, role: string } | null | undefined>}
 */
export const user = signal(local.read(HINT) === undefined ? null : undefined);

/**
 * When somebody last signed out in this browser, in milliseconds since 1970. Tabs work at once, and their messages
 * cross: what a tab asked for before that is not begun after it.
 */
let endedAt = 0;

/**
 * What tabs tell each other: a session that one has, or that it is over.
 *
 * @typedef {{ token: string, until: number, asked: number, user: { id: string, role: string } }} Access `until` and
 *   `asked`, when the request for it was sent, are milliseconds since 1970
 * @typedef {Access | { ended: number }} Told
 */
const channel = new BroadcastChannel("session");
channel.onmessage = (/** @type {MessageEvent<Told>} */ { data }) => {
  if ("ended" in data) {
    endedAt = Math.max(endedAt, data.ended);
    become(undefined);
  } else if (data.until > Date.now() && data.asked >= endedAt) become(data);
};

/** @param {Access | undefined} next */
function become(next) {
  access = next;
  const now = next?.user ?? null;
  if (user.peek()?.id !== now?.id || user.peek()?.role !== now?.role || user.peek() === undefined) user.value = now;
}

/** @param {Tokens} session @param {number} asked */
function begin(session, asked) {
  const next = {
    token: session.access_token,
    until: Date.now() + session.expires_in * 1000,
    asked,
    user: { id: session.user_id, role: session.role },
  };
  become(next);
  local.write(HINT, 1);
  // Tabs of one browser are one reader: a token that one of them has, the others need not ask for.
  channel.postMessage(next);
}

function end() {
  become(undefined);
  local.write(HINT, undefined);
}

/** @type {Promise<void> | undefined} */
let renewing;

/**
 * A token that is good now, or `undefined` for a guest.
 *
 * @returns {Promise<string | undefined>}
 */
export async function accessToken() {
  if (access !== undefined && access.until - MARGIN > Date.now()) return access.token;
  if (user.peek() === null) return undefined;
  return renew(access?.token);
}

/**
 * Another token in place of one that is not good any more: one request at a time in this tab, and in all tabs.
 *
 * @param {string | undefined} stale
 * @returns {Promise<string | undefined>}
 */
export async function renew(stale) {
  renewing ??= Promise.resolve(
    navigator.locks.request(LOCK, async () => {
      // Another tab may have been here before, and told us.
      if (access !== undefined && access.token !== stale && access.until - MARGIN > Date.now()) return;
      const asked = Date.now();
      try {
        const session = await transport.refresh();
        if (asked >= endedAt) begin(session, asked);
        // Somebody signed out meanwhile: what came after all, and its cookie, go the same way.
        else await transport.signOut(session.access_token);
      } catch (error) {
        // What the API refuses is over. Where nobody answered we know nothing, and ask again with the next request.
        if (!(error instanceof Error && "status" in error && Number(error.status) < 429)) throw error;
        end();
      }
    }),
  ).finally(() => {
    renewing = undefined;
  });
  await renewing;
  return access?.token;
}

/** @param {string} email @param {string} password */
export async function signIn(email, password) {
  await navigator.locks.request(LOCK, async () => {
    const asked = Date.now();
    begin(await transport.signIn(email, password), asked);
  });
}

/** Ends the session here and in all tabs, also when nobody answers: then the token that is left ends by itself. */
export async function signOut() {
  const token = await accessToken().catch(() => undefined);
  forget();
  const leave = () => transport.signOut(token).catch(() => undefined);
  await navigator.locks.request(LOCK, { signal: AbortSignal.timeout(PATIENCE) }, leave).catch(leave);
}

/** The session is over, since the API ended it: with another password, say. */
export function forget() {
  endedAt = Date.now();
  end();
  channel.postMessage({ ended: endedAt });
}

/** Finds out who uses this page, where somebody was signed in. */
export async function resume() {
  if (user.peek() !== undefined) return;
  try {
    await renew(undefined);
  } catch {
    // Shown as a guest for now; the next request that needs to know asks again.
  }
}
