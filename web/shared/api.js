// Requests to the shop's API, and what goes wrong with them.

import { accessToken, renew, user } from "./session.js";

/** @typedef {import("../types/api.js").components["schemas"]} Schemas */
/** @typedef {Schemas["Problem"] & Record<string, any>} Problem */

/** The API refused: what it said. */
export class Refused extends Error {
  /** @param {Problem} problem @param {Response} answer */
  constructor(problem, { status, headers }) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    /** The answer's own: what the gateway itself refuses with says no other. */
    this.status = status;
    this.code = problem.code;
    const seconds = Number(headers.get("retry-after"));
    /** Seconds after which to ask again, where the API says so. */
    this.retryAfter = seconds > 0 ? seconds : undefined;
  }

  /**
   * What is wrong with a field of the request.
   *
   * @param {string} pointer
   */
  about(pointer) {
    return this.problem.errors?.find((one) => one.pointer === pointer);
  }
}

/** Nobody answered: there is no network, or no shop at the other end. */
export class Unreachable extends Error {}

/** Not sent: who it was made for is not signed in any more. */
export class SessionOver extends Error {}

/** How this page keeps its session. Without it, the demo of `cargo run` takes a request for its administrator's. */
export const client = { transport: /** @type {"cookie" | undefined} */ ("cookie") };

/**
 * @typedef {object} Options
 * @property {unknown} [body]
 * @property {string | undefined} [key] an Idempotency-Key
 * @property {string | undefined} [orderToken] of a guest's order
 * @property {string | undefined} [etag] an answer that is still this one is `undefined`
 * @property {string | undefined} [match] only if this is still the version
 * @property {AbortSignal | undefined} [signal]
 * @property {boolean} [outlives] it is sent though the page is left
 * @property {boolean} [open] everybody is answered alike: no token, so that caches may answer
 */

/**
 * Asks the API. A token that has just run out is renewed, and the request sent once more. Whoever is not signed in any
 * more reads as a guest, and writes nothing: it would be another's.
 *
 * @param {"GET" | "POST" | "PATCH" | "PUT" | "DELETE"} method
 * @param {string} path as the API's document names it, without `/api`
 * @param {Options} [options]
 * @returns {Promise<{ data: any, etag: string | undefined, status: number }>}
 */
export async function ask(method, path, options = {}) {
  const who = user.peek();
  const sendAs = (/** @type {string | undefined} */ token) => {
    if (method !== "GET" && !options.open && who !== undefined && who?.id !== user.peek()?.id) throw new SessionOver();
    return send(method, path, options, token);
  };
  const token = options.open ? undefined : await accessToken();
  let answer = await sendAs(token);
  if (answer.status === 401 && token !== undefined) answer = await sendAs(await renew(token));
  return read(answer);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 * @param {string | undefined} token
 */
export async function send(method, path, { body, key, orderToken, etag, match, signal, outlives = false }, token) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (client.transport !== undefined) headers["session-transport"] = client.transport;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key !== undefined) headers["idempotency-key"] = key;
  if (orderToken !== undefined) headers["order-token"] = orderToken;
  if (etag !== undefined) headers["if-none-match"] = etag;
  if (match !== undefined) headers["if-match"] = match;
  try {
    return await fetch(`/api${path}`, {
      method,
      headers,
      keepalive: outlives,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
      // A condition of our own is not to be answered from the browser's cache.
      ...(etag !== undefined && { cache: "no-store" }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable("The shop cannot be reached.", { cause: error });
  }
}

/** @param {Response} answer */
export async function read(answer) {
  const etag = answer.headers.get("etag") ?? undefined;
  if (answer.status === 304) return { data: undefined, etag, status: 304 };
  let data;
  try {
    const text = await answer.text();
    data = text === "" ? undefined : JSON.parse(text);
  } catch (error) {
    // What stands between us and the shop answered in its place, or the answer broke off.
    throw new Unreachable("The shop does not answer as it should.", { cause: error });
  }
  if (!answer.ok && data !== undefined) throw new Refused(data, answer);
  if (!answer.ok) throw new Unreachable(`The shop answers ${answer.status}.`);
  return { data, etag, status: answer.status };
}

/**
 * A sentence for a person about what went wrong.
 *
 * @param {unknown} error
 */
export function explain(error) {
  if (error instanceof Unreachable) return "We cannot reach the shop. Check your connection, and try again.";
  if (error instanceof SessionOver) return "Your session is over, and nothing was changed. Sign in, and try again.";
  if (!(error instanceof Refused)) return "Something went wrong on this page. Reload it, and try again.";
  if (error.status === 429) {
    const minutes = Math.ceil((error.retryAfter ?? 60) / 60);
    return `That was too often. Try again in ${minutes === 1 ? "a minute" : `${minutes} minutes`}.`;
  }
  if (error.status >= 500) return "The shop has a problem of its own. Try again in a moment.";
  return error.problem.detail ?? "The shop refuses this.";
}
