import {
  FEED_PROTOCOL,
  type FeedControl,
  type FeedEvent,
  feedAck,
  feedClose,
  MOST_PARTS_UNACKNOWLEDGED,
  MOST_UNACKNOWLEDGED,
} from "../../../shared/api/feed.ts";
import { describeError, log } from "../../log.ts";
import type { FeedGrant } from "../contract/feed.ts";
import type { FeedLog, LoggedEvent } from "../store/feed-log.ts";
import type { Turns } from "../store/turns.ts";
import { mayRead, mayReadRoom, seesAll, textFor } from "./grants.ts";
import type { Snapshot } from "./snapshot.ts";

/** Most sockets of one tenant, and in all. */
const MOST_OF_TENANT = 50;
const MOST = 1_000;
/** Events that are read and sent in one turn. */
const AT_ONCE = 100;
/** A reader further behind than this gets a snapshot: sending the events would take longer. */
const MOST_BEHIND = 5_000;
/** A reader that acknowledges nothing for this long, while more waits, is disconnected. */
const STALLED_MS = 30_000;
/** Longest message of the protocol. */
const MESSAGE_LENGTH = 100;

const TAG = "feed";

/** The part of a reader's state that the socket keeps while the object is not in memory. */
interface Position {
  tenant: string;
  grant: FeedGrant;
  /** The `seq` of the last event that was sent or is not for it. */
  cursor: number;
  /** Frames that were sent, and that were acknowledged. */
  sent: number;
  acked: number;
  /** The last room sent of a snapshot, after which the events after `cursor` follow; null: no snapshot is being sent. */
  snapshot: string | null;
}

interface Reader extends Position {
  socket: WebSocket;
  /** Sending is under way, a slice at a time. */
  isBusy: boolean;
  /** Since when it has not acknowledged all frames while more waits, ms. */
  stalled_at: number | null;
}

/** The part of a Durable Object that keeps hibernating sockets. */
export type Sockets = Pick<DurableObjectState, "acceptWebSocket" | "getWebSockets">;

interface ReadersHost {
  sockets: Sockets;
  feedLog: FeedLog;
  snapshot: Snapshot;
  turns: Turns;
  now(): number;
}

/**
 * FeedReaders — the clients that listen, each of which is sent the tenant's events in order, once, and no faster than it acknowledges
 * them. What it has not taken stays in the log only; if the log has dropped it, the reader gets a gap and a snapshot.
 */
export class FeedReaders {
  readonly #host: ReadersHost;
  readonly #tenants = new Map<string, Map<WebSocket, Reader>>();
  #count = 0;

  /** With those that were connected before the object slept. */
  constructor(host: ReadersHost) {
    this.#host = host;
    for (const socket of host.sockets.getWebSockets(TAG)) {
      // Written by `#note`.
      const position = socket.deserializeAttachment() as Position | null;
      if (position) this.#add({ ...position, socket, isBusy: false, stalled_at: null });
    }
  }

  has(tenant: string): boolean {
    return this.#tenants.has(tenant);
  }

  /** Whether there is room for one more. */
  mayOpen(tenant: string): boolean {
    return this.#count < MOST && (this.#tenants.get(tenant)?.size ?? 0) < MOST_OF_TENANT;
  }

  /**
   * Takes a client in.
   * @param after the last event that it has; null: it has nothing.
   */
  open(tenant: string, grant: FeedGrant, after: number | null): Response {
    const { feedLog, sockets } = this.#host;
    const { 0: theirs, 1: ours } = new WebSocketPair();
    sockets.acceptWebSocket(ours, [TAG]);
    const resumes = after !== null && feedLog.hasAllAfter(tenant, after);
    const cursor = resumes ? after : feedLog.seqOf(tenant);
    const snapshot = resumes ? null : "";
    const reader = { tenant, grant, cursor, sent: 0, acked: 0, snapshot };
    const opened = this.#add({ ...reader, socket: ours, isBusy: false, stalled_at: null });
    if (resumes) this.#control(opened, "resumed");
    else if (after !== null) this.#control(opened, "gap");
    this.#note(opened);
    this.#send(opened);
    return new Response(null, {
      status: 101,
      webSocket: theirs,
      headers: { "sec-websocket-protocol": FEED_PROTOCOL },
    });
  }

  /** An event was added to the tenant's log. */
  push(tenant: string, event: LoggedEvent): void {
    for (const reader of this.#of(tenant)) {
      // The others get it from the log when their turn comes.
      const isNext = !reader.isBusy && reader.snapshot === null && reader.cursor === event.seq - 1;
      if (!isNext || !this.#takes(reader, MOST_UNACKNOWLEDGED)) this.#send(reader);
      else this.#event(reader, event);
    }
  }

  /** There is no room for events: all readers are told to reconnect. */
  closeAll(tenant: string): void {
    for (const reader of this.#of(tenant)) this.#close(reader, "unavailable", "the storage is full");
  }

  /** The token was revoked. */
  revoke(tenant: string, token: string): void {
    for (const reader of this.#of(tenant))
      if (reader.grant.token === token) this.#close(reader, "unauthorized", "the token was revoked");
  }

  /** A client says how much it has taken. */
  message(socket: WebSocket, message: string | ArrayBuffer): void {
    const reader = this.#find(socket);
    if (!reader) return;
    const ack = typeof message === "string" && message.length < MESSAGE_LENGTH ? ackOf(message) : null;
    if (ack === null || ack > reader.sent || ack < reader.acked) return;
    reader.acked = ack;
    reader.stalled_at = null;
    this.#note(reader);
    this.#send(reader);
  }

  closed(socket: WebSocket): void {
    const reader = this.#find(socket);
    if (reader) this.#remove(reader);
  }

  #of(tenant: string): Reader[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])];
  }

  #find(socket: WebSocket): Reader | null {
    for (const readers of this.#tenants.values()) {
      const reader = readers.get(socket);
      if (reader) return reader;
    }
    return null;
  }

  #add(reader: Reader): Reader {
    const readers = this.#tenants.get(reader.tenant) ?? new Map<WebSocket, Reader>();
    readers.set(reader.socket, reader);
    this.#tenants.set(reader.tenant, readers);
    this.#count += 1;
    return reader;
  }

  #remove({ tenant, socket }: Reader): void {
    const readers = this.#tenants.get(tenant);
    if (!readers?.delete(socket)) return;
    this.#count -= 1;
    if (readers.size === 0) this.#tenants.delete(tenant);
  }

  /** Sends what the reader has not got yet, a slice per turn, while it takes more. */
  #send(reader: Reader): void {
    if (reader.isBusy) return;
    reader.isBusy = true;
    this.#sendAll(reader)
      .catch((error: unknown) => {
        log("error", "feed.broke", { tenant: reader.tenant, error: describeError(error) });
        this.#close(reader, "unavailable", "a fault");
      })
      .finally(() => {
        reader.isBusy = false;
        this.#note(reader);
        // What happened since it was last looked at.
        if (this.#isOpen(reader) && this.#wants(reader)) this.#send(reader);
      });
  }

  /** Whether there is something to be sent that it takes now. */
  #wants({ tenant, cursor, snapshot, sent, acked }: Reader): boolean {
    if (snapshot !== null) return sent - acked < MOST_PARTS_UNACKNOWLEDGED;
    return cursor < this.#host.feedLog.seqOf(tenant) && sent - acked < MOST_UNACKNOWLEDGED;
  }

  async #sendAll(reader: Reader): Promise<void> {
    const { feedLog, turns } = this.#host;
    for (;;) {
      await turns.next();
      if (!this.#isOpen(reader)) return;
      const last = feedLog.seqOf(reader.tenant);
      if (reader.snapshot !== null) {
        if (!this.#takes(reader, MOST_PARTS_UNACKNOWLEDGED)) return;
        await this.#part(reader, reader.snapshot);
      } else if (reader.cursor >= last) {
        return;
      } else if (!this.#takes(reader, MOST_UNACKNOWLEDGED)) {
        return;
      } else if (last - reader.cursor > MOST_BEHIND || !feedLog.hasAllAfter(reader.tenant, reader.cursor)) {
        this.#control(reader, "gap");
        reader.cursor = last;
        reader.snapshot = "";
      } else {
        const free = MOST_UNACKNOWLEDGED - (reader.sent - reader.acked);
        const events = feedLog.after(reader.tenant, reader.cursor, Math.min(AT_ONCE, free));
        for (const event of events) this.#event(reader, event);
      }
    }
  }

  async #part(reader: Reader, after: string): Promise<void> {
    const { tenant, grant } = reader;
    const isShown = (room: string) => mayReadRoom(grant, tenant, room);
    const { rooms, last } = await this.#host.snapshot.part(tenant, after, isShown);
    reader.snapshot = last;
    const frame: FeedControl = {
      v: 1,
      seq: reader.cursor,
      type: "snapshot",
      at: this.#host.now(),
      data: { rooms, more: last !== null },
    };
    this.#frame(reader, textFor(grant, frame));
  }

  /** False if so many frames are on their way already; where that lasts, the socket is closed. */
  #takes(reader: Reader, most: number): boolean {
    if (reader.sent - reader.acked < most) return true;
    const now = this.#host.now();
    reader.stalled_at ??= now;
    if (now - reader.stalled_at > STALLED_MS) this.#close(reader, "slow", "frames are not acknowledged");
    return false;
  }

  #event(reader: Reader, { seq, frame }: LoggedEvent): void {
    reader.cursor = seq;
    const { grant, tenant } = reader;
    const event = seesAll(grant) ? null : (JSON.parse(frame) as FeedEvent); // As the log wrote it.
    if (event === null) this.#frame(reader, frame);
    else if (mayRead(grant, tenant, event)) this.#frame(reader, textFor(grant, event));
  }

  #control(reader: Reader, type: "resumed" | "gap"): void {
    const frame: FeedControl = { v: 1, seq: reader.cursor, type, at: this.#host.now(), data: {} };
    this.#frame(reader, JSON.stringify(frame));
  }

  #frame(reader: Reader, text: string): void {
    const { expires_at } = reader.grant;
    if (expires_at !== null && expires_at <= this.#host.now()) {
      this.#close(reader, "unauthorized", "the token has expired");
      return;
    }
    reader.sent += 1;
    try {
      reader.socket.send(text);
    } catch {
      // It is closing, and nothing told us yet.
      this.#remove(reader);
      return;
    }
    if (!reader.isBusy) this.#note(reader);
  }

  #isOpen({ tenant, socket }: Reader): boolean {
    return this.#tenants.get(tenant)?.has(socket) === true;
  }

  #close(reader: Reader, why: keyof typeof feedClose, reason: string): void {
    this.#remove(reader);
    try {
      reader.socket.close(feedClose[why], reason);
    } catch {
      // It is closed.
    }
  }

  #note({ socket, tenant, grant, cursor, sent, acked, snapshot }: Reader): void {
    socket.serializeAttachment({ tenant, grant, cursor, sent, acked, snapshot } satisfies Position);
  }
}

function ackOf(message: string): number | null {
  try {
    const read = feedAck.safeParse(JSON.parse(message));
    return read.success ? read.data.ack : null;
  } catch {
    return null;
  }
}
