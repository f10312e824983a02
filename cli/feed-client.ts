import { setTimeout as sleep } from "node:timers/promises";
import { FEED_PROTOCOL, type FeedFrame, feedClose, feedFrame, TICKET_PREFIX } from "../shared/api/feed.ts";
import { FeedPicture } from "../shared/feed-picture.ts";
import { apiUrl, askApi } from "./ask-worker.ts";
import type { Target } from "./ruleset-api.ts";
import { type NotTold, told } from "./told.ts";

const HOW = { answer_ms: 30_000 };
/** Waits before the next connection, each up to twice as long as the one before. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** So often it is asked whether the connection lives, and by the next time that is answered. */
const PING_MS = 20_000;

export interface FeedListener {
  /** A frame that tells something new. @param picture how all is after it. */
  frame(frame: FeedFrame, picture: FeedPicture): void;
  /** There is no connection, and there will be another one. */
  lost(why: string, again_ms: number): void;
}

/**
 * Follows a tenant's feed until it is told to stop: acknowledges, and connects again from where it was. Rejects never; returns why it
 * could not go on, or null where it was stopped.
 */
export async function followFeed(
  target: Target,
  listener: FeedListener,
  signal: AbortSignal,
): Promise<NotTold | null> {
  const picture = new FeedPicture();
  let wasOpen = false;
  for (let tries = 0; !signal.aborted; tries += 1) {
    const connected = await connect(target, picture, listener, signal);
    if (signal.aborted) break;
    if (connected.wasOpen) {
      wasOpen = true;
      tries = 0;
    }
    // A token that is refused stays so. What never was there may be the wrong Worker.
    if (connected.isFinal || !wasOpen) return connected.error;
    const wait_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
    // Many clients lose their connection at once, and do not come back at once.
    const again_ms = Math.round(wait_ms * (0.5 + Math.random() / 2));
    listener.lost(connected.error.error.message, again_ms);
    await sleep(again_ms, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** How a connection went. */
interface Connected {
  wasOpen: boolean;
  isFinal: boolean;
  error: NotTold;
}

async function connect(
  target: Target,
  picture: FeedPicture,
  listener: FeedListener,
  signal: AbortSignal,
): Promise<Connected> {
  const { tenant } = target;
  const ticket = told(target, await askApi(target, "createFeedTicket", { params: { tenant } }, HOW));
  if ("exit_code" in ticket) {
    const isFinal = ticket.exit_code === 1 || ticket.error.code === "unauthorized";
    return { wasOpen: false, isFinal, error: ticket };
  }
  const after = picture.seq === null ? "" : `?after=${picture.seq}`;
  const url = apiUrl(target.url, `/tenants/${tenant}/feed${after}`);
  url.protocol = url.protocol.replace("http", "ws");
  const { wasOpen, why } = await listen(url, ticket.data.ticket, picture, listener, signal);
  return { wasOpen, isFinal: false, error: { exit_code: 2, error: { code: "feed_closed", message: why } } };
}

/** Takes frames until the connection ends, for whichever reason. */
async function listen(
  url: URL,
  ticket: string,
  picture: FeedPicture,
  listener: FeedListener,
  signal: AbortSignal,
): Promise<{ wasOpen: boolean; why: string }> {
  const ended = Promise.withResolvers<string>();
  const socket = new WebSocket(url, [FEED_PROTOCOL, `${TICKET_PREFIX}${ticket}`]);
  let wasOpen = false;
  let isAlive = true;
  let taken = 0;
  const stop = () => ended.resolve("stopped");
  signal.addEventListener("abort", stop);
  const pings = setInterval(() => {
    if (!isAlive) ended.resolve(`nothing came from ${url.host} for ${PING_MS / 1_000} s`);
    else if (wasOpen) socket.send("ping");
    isAlive = false;
  }, PING_MS);
  socket.addEventListener("open", () => {
    wasOpen = true;
    isAlive = true;
  });
  socket.addEventListener("message", ({ data }) => {
    isAlive = true;
    if (data === "pong") return;
    taken += 1;
    const frame = readFrame(String(data));
    if (frame !== null && isNews(frame, picture)) {
      picture.apply(frame);
      listener.frame(frame, picture);
    }
    socket.send(JSON.stringify({ ack: taken }));
  });
  socket.addEventListener("close", ({ code }) => ended.resolve(reasonOf(code, url)));
  socket.addEventListener("error", () =>
    ended.resolve(`the feed at ${url.host} could not be opened, or the connection broke`),
  );
  const why = await ended.promise;
  clearInterval(pings);
  signal.removeEventListener("abort", stop);
  if (socket.readyState !== WebSocket.CLOSED) socket.close();
  picture.disconnected();
  return { wasOpen, why };
}

/** null: a type that is newer than this program, which is to be passed over. */
function readFrame(text: string): FeedFrame | null {
  try {
    return feedFrame.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** An event may come twice, after a connection was lost. */
function isNews(frame: FeedFrame, { seq }: FeedPicture): boolean {
  const isOfFeed = frame.type === "snapshot" || frame.type === "gap" || frame.type === "resumed";
  return isOfFeed || (seq !== null && frame.seq > seq);
}

function reasonOf(code: number, { host }: URL): string {
  switch (code) {
    case feedClose.unauthorized:
      return "the token was revoked or has expired";
    case feedClose.slow:
      return "this program did not keep up";
    case feedClose.unavailable:
      return `${host} has no room for events now`;
    default:
      return `${host} closed the connection (${code})`;
  }
}
