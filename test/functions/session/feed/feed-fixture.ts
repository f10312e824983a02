import type { FeedGrant } from "../../../../functions/session/contract/feed.ts";
import { Feed } from "../../../../functions/session/feed/feed.ts";
import { OutgoingWebhooks } from "../../../../functions/session/feed/outgoing-webhooks.ts";
import { FeedReaders } from "../../../../functions/session/feed/readers.ts";
import { Snapshot } from "../../../../functions/session/feed/snapshot.ts";
import type { Repositories } from "../../../../functions/session/repositories.ts";
import { FeedLog } from "../../../../functions/session/store/feed-log.ts";
import { WebhookDeliveries } from "../../../../functions/session/store/webhook-deliveries.ts";
import { Slots } from "../../../../functions/slots.ts";
import { type FeedFrame, feedFrame } from "../../../../shared/api/feed.ts";
import { FeedPicture } from "../../../../shared/feed-picture.ts";
import { Ledger } from "../ledger.ts";

export const EVERYTHING: FeedGrant = {
  token: null,
  scopes: null,
  rooms: null,
  mask_numbers: false,
  expires_at: null,
};

interface FollowedSettings {
  /** Events, and deliveries of an endpoint, that are kept. */
  most?: number;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  credentials_key?: string;
  /** The object slept, and this is how it wakes: its sockets outlasted its memory. */
  wakes?: Followed;
}

/** A session's ledger with its feed, and a clock that the test sets. Sockets are real, and end with the object's memory. */
export class Followed {
  now = 1_800_000_000_000;
  readonly ledger: Ledger;
  readonly feed: Feed;
  readonly readers: FeedReaders;
  readonly log: FeedLog;
  readonly outgoing: OutgoingWebhooks;
  readonly deliveries: WebhookDeliveries;
  readonly #sockets: WebSocket[];
  #wokeAs: Followed | null = null;

  constructor(sql: SqlStorage, { most, fetch, credentials_key, wakes }: FollowedSettings = {}) {
    this.now = wakes?.now ?? this.now;
    this.#sockets = wakes?.sleep(this) ?? [];
    const now = () => this.now;
    const news: Repositories["news"] = {
      isFollowed: (tenant) => this.feed.isFollowed(tenant),
      placed: (row, before) => this.feed.placed(row, before),
      dropped: (row) => this.feed.dropped(row),
      recorded: (row, before) => this.feed.recorded(row, before),
      dialled: (dial) => this.feed.dialled(dial),
      refused: (about, row) => this.feed.refused(about, row),
      rulesServed: (tenant, hash) => this.feed.rulesServed(tenant, hash),
      locked: (tenant, room, mode, until) => this.feed.locked(tenant, room, mode, until),
      unlocked: (tenant, room) => this.feed.unlocked(tenant, room),
      split: (tenant, room, ids) => this.feed.split(tenant, room, ids),
      spoke: (tenant, room, call_id, speaking) => this.feed.spoke(tenant, room, call_id, speaking),
    };
    const nothing = async () => new Set<string>();
    this.ledger = new Ledger(sql, now, nothing, undefined, undefined, undefined, news);
    this.log = new FeedLog(this.ledger.disk, now, most);
    this.deliveries = new WebhookDeliveries(this.ledger.disk, now, most);
    const live = { ...this.ledger, live: this.ledger.placements.live, feedLog: this.log, now };
    this.outgoing = new OutgoingWebhooks(
      { webhooks: this.ledger.webhooks, deliveries: this.deliveries, pool: new Slots(3) },
      { credentials_key, fetch: fetch ?? (async () => new Response()), now, random: () => 0.5 },
      () => {},
    );
    this.readers = new FeedReaders({
      ...live,
      snapshot: new Snapshot(live),
      sockets: {
        acceptWebSocket: (socket) => {
          socket.accept();
          this.#sockets.push(socket);
          socket.addEventListener("message", ({ data }) => this.#awake().readers.message(socket, data));
          socket.addEventListener("close", () => this.#awake().readers.closed(socket));
        },
        getWebSockets: () => this.#sockets,
      },
    });
    this.feed = new Feed({ ...live, readers: this.readers, outgoing: this.outgoing });
  }

  /** Its sockets, for the object that it wakes as. */
  sleep(as: Followed): WebSocket[] {
    this.#wokeAs = as;
    return this.#sockets;
  }

  /** To whom the runtime tells what comes by a socket. */
  #awake(): Followed {
    return this.#wokeAs ? this.#wokeAs.#awake() : this;
  }

  pass(ms: number): void {
    this.now += ms;
  }

  /** Runs the clock until then, and what is due of the outgoing webhooks meanwhile. */
  async run(until: number): Promise<void> {
    for (;;) {
      await this.outgoing.resume();
      const [wake, alarm] = [this.outgoing.nextWakeAt(), this.outgoing.nextAlarmAt(this.now)];
      const next = Math.min(wake ?? Number.POSITIVE_INFINITY, alarm ?? Number.POSITIVE_INFINITY);
      if (next > until) break;
      this.now = Math.max(this.now, next);
    }
    this.now = Math.max(this.now, until);
  }
}

/** A client of the feed, which acknowledges what it takes unless it is slow. */
export class Client {
  readonly picture = new FeedPicture();
  readonly frames: FeedFrame[] = [];
  closed: number | null = null;
  #socket: WebSocket | null = null;
  #taken = 0;
  #answered: ((text: unknown) => void) | null = null;

  readonly #acknowledges: boolean;

  constructor(acknowledges = true) {
    this.#acknowledges = acknowledges;
  }

  connect(feed: Feed, grant: FeedGrant = EVERYTHING, after = this.picture.seq): void {
    const socket = feed.open("acme", grant, after)?.webSocket;
    if (!socket) throw new Error("the feed takes no client");
    this.listen(socket);
  }

  /** To a socket that is connected. */
  listen(socket: WebSocket): void {
    this.#socket = socket;
    this.#taken = 0;
    this.closed = null;
    socket.addEventListener("message", ({ data }) => {
      // What is still on its way to a client that is cut does not arrive.
      if (socket !== this.#socket) return;
      if (data === "pong") return this.#answered?.(data);
      const frame = feedFrame.parse(JSON.parse(String(data)));
      this.frames.push(frame);
      this.picture.apply(frame);
      this.#taken += 1;
      if (this.#acknowledges) this.acknowledge();
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.#socket) this.closed = code;
    });
    socket.accept();
  }

  /** Sends what is answered by a text that is no frame. */
  ask(message: string, answered: (text: unknown) => void): void {
    this.#answered = answered;
    this.#socket?.send(message);
  }

  acknowledge(): void {
    this.#socket?.send(JSON.stringify({ ack: this.#taken }));
  }

  cut(): void {
    this.#socket?.close(1000);
    this.#socket = null;
    this.picture.disconnected();
  }

  get isConnected(): boolean {
    return this.#socket !== null;
  }

  types(): string[] {
    return this.frames.map(({ type }) => type);
  }
}

/** Lets what is on its way arrive, until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns += 1) {
    if (turns > 5_000) throw new Error("it never comes to that");
    await scheduler.wait(0);
  }
}

/** The same numbers for the same seed, 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
