import { FEED_ONLY, type FeedEvent } from "../../../shared/api/feed.ts";
import { openSecret } from "../../../shared/credentials.ts";
import {
  type Attempt,
  afterAttempt,
  LONGEST_RETRY_AFTER_MS,
  retryAfterOf,
  signedHeaders,
} from "../../../shared/outgoing-webhook.ts";
import { describeError, log } from "../../log.ts";
import { FairSlots, type Slots } from "../../slots.ts";
import type { LoggedEvent } from "../store/feed-log.ts";
import type { Delivery, WebhookDeliveries } from "../store/webhook-deliveries.ts";
import type { Webhook, Webhooks } from "../store/webhooks.ts";

const TIMEOUT_MS = 15_000;
/** Failures in a row after which an endpoint gets one delivery at a time, after waits that double. */
const FAILURES = 3;
/** Successes in a row after which an endpoint no longer shares the connection of the slow ones. */
const STEADY = 5;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;
/** Delay after a fault of ours, or if the result of an attempt could not be written. */
const BROKE_MS = 60_000;
/** Endpoints whose waiting deliveries are resumed in one turn. */
const AT_ONCE = 100;
/** New deliveries after which an endpoint's are counted, and deliveries deleted in one turn. */
const COUNTED_AFTER = 100;
const FORGOTTEN_AT_ONCE = 200;
/** A timer in memory comes this soon at most: one that is longer would keep the object awake, and the alarm comes as well. */
const TIMER_MS = 30_000;
/** The alarm behind the timer, in case the object is lost. */
const BACKSTOP_MS = 6_000;

/** An endpoint for which deliveries wait. */
interface Lane {
  webhook: string;
  /** While something is sent. */
  work: Promise<void> | null;
  /** Something was added since what is due was looked for last. */
  hasNew: boolean;
  /** In a row. */
  failures: number;
  successes: number;
  /** Nothing is sent before this time, ms. */
  not_before: number;
  /** Deliveries that were added since they were counted. */
  added: number;
}

interface OutgoingHost {
  webhooks: Webhooks;
  deliveries: WebhookDeliveries;
  /** The connections that the session's REST requests share. */
  pool: Slots;
}

/** What the object runs on: its secret, the network, the clock and chance. */
interface Surroundings {
  credentials_key: string | undefined;
  fetch(url: string, init: RequestInit): Promise<Response>;
  now(): number;
  random(): number;
}

/**
 * OutgoingWebhooks — sends each event to the tenant's endpoints until they take it. Tenants take turns, and a tenant's
 * endpoints do, one delivery each. Those that did not take the last few share one connection, so that they keep no other waiting. Used by the feed.
 */
export class OutgoingWebhooks {
  readonly #host: OutgoingHost;
  readonly #around: Surroundings;
  readonly #rescheduled: () => void;
  readonly #lanes = new Map<string, Lane>();
  readonly #steady = new FairSlots(1);
  readonly #others = new FairSlots(1);
  readonly #secrets = new Map<string, string>();
  /** When it is looked for what is due, ms, and when the alarm is to come for it at the latest. */
  #wakes_at: number | null = null;
  #alarm_at: number | null = null;

  /** @param rescheduled called when it has work sooner than it said before. */
  constructor(host: OutgoingHost, around: Surroundings, rescheduled: () => void) {
    this.#host = host;
    this.#around = around;
    this.#rescheduled = rescheduled;
  }

  /** The connection of those that may not answer: whatever may wait for them takes turns there, and takes no other connection from calls. */
  get spare(): FairSlots {
    return this.#others;
  }

  areWanted(tenant: string): boolean {
    return this.#host.webhooks.areWanted(tenant);
  }

  /** Has the event sent to those of the tenant's endpoints that take its type. */
  push(tenant: string, type: FeedEvent["type"], { seq, frame }: LoggedEvent): void {
    if (FEED_ONLY.has(type)) return;
    const { webhooks, deliveries } = this.#host;
    for (const webhook of webhooks.wanting(tenant, type)) {
      if (!deliveries.add(webhook.id, { seq, type, body: frame })) {
        log("error", "outgoing.not_kept", { tenant, webhook: webhook.id, seq });
        continue;
      }
      const lane = this.#laneOf(webhook.id);
      lane.added += 1;
      lane.hasNew = true;
      // In case the object is lost before it is sent.
      this.#wantAlarm(this.#around.now() + TIMER_MS);
      void this.#work(lane);
    }
  }

  nextWakeAt(): number | null {
    return this.#wakes_at;
  }

  nextAlarmAt(now: number): number | null {
    return this.#alarm_at === null ? null : Math.max(now + BACKSTOP_MS, this.#alarm_at);
  }

  run(): void {
    void this.resume();
  }

  /** Resumes what waited before a restart, and sends what is due. Resolves when nothing is due any more; never rejects. */
  async resume(): Promise<void> {
    this.#wakes_at = null;
    this.#alarm_at = null;
    try {
      this.#takeUp();
    } catch (error) {
      log("error", "outgoing.broke", { error: describeError(error) });
    }
    await Promise.all([...this.#lanes.values()].map((lane) => this.#work(lane)));
  }

  #takeUp(): void {
    let after = "";
    for (let taken = 0; taken < AT_ONCE; taken += 1) {
      const next = this.#host.deliveries.nextWaiting(after);
      if (next === null) break;
      this.#laneOf(next);
      after = next;
    }
  }

  /** The endpoint's deliveries are to be looked at: one of them was asked for again. */
  async again(webhook: string): Promise<void> {
    const lane = this.#laneOf(webhook);
    lane.not_before = 0;
    await this.#work(lane);
  }

  /** Nothing more is sent there, and what is kept of its deliveries goes. */
  async dropped({ id }: Pick<Webhook, "id">): Promise<void> {
    this.#lanes.delete(id);
    while (!this.#host.deliveries.purge(id, FORGOTTEN_AT_ONCE)) await scheduler.wait(0);
  }

  #laneOf(webhook: string): Lane {
    const known = this.#lanes.get(webhook);
    if (known) return known;
    const lane = {
      webhook,
      work: null,
      hasNew: false,
      failures: 0,
      successes: 0,
      not_before: 0,
      added: COUNTED_AFTER,
    };
    this.#lanes.set(webhook, lane);
    return lane;
  }

  /** Sends what is due, one after the other. Never rejects. */
  #work(lane: Lane): Promise<void> {
    lane.work ??= this.#sendAll(lane)
      .catch((error: unknown) => {
        log("error", "outgoing.broke", { webhook: lane.webhook, error: describeError(error) });
        lane.not_before = this.#around.now() + BROKE_MS;
        this.#wake(lane.not_before);
      })
      .finally(() => {
        lane.work = null;
        if (lane.hasNew) void this.#work(lane);
      });
    return lane.work;
  }

  async #sendAll(lane: Lane): Promise<void> {
    // In a turn of its own, so that no call waits.
    await scheduler.wait(0);
    while (await this.#next(lane));
  }

  /** False if nothing is due now. */
  async #next(lane: Lane): Promise<boolean> {
    const { webhooks, deliveries, pool } = this.#host;
    const { now } = this.#around;
    lane.hasNew = false;
    const webhook = webhooks.byId(lane.webhook);
    if (!webhook) {
      await this.dropped({ id: lane.webhook });
      return false;
    }
    if (webhook.state === "disabled") return false;
    this.#count(lane, webhook);
    const due = deliveries.nextOf(webhook.id);
    if (!due) return false;
    const at = Math.max(due.due_at ?? 0, lane.not_before);
    if (at > now()) {
      this.#wake(at);
      return false;
    }
    const slots = lane.successes >= STEADY ? this.#steady : this.#others;
    await slots.run(webhook.tenant, () => pool.run("list", () => this.#attempt(lane, webhook, due)));
    return true;
  }

  async #attempt(lane: Lane, webhook: Webhook, { seq }: Delivery): Promise<void> {
    const { deliveries, webhooks } = this.#host;
    const { now, random } = this.#around;
    // It may have been deleted while it waited for its turn.
    const delivery = deliveries.find(webhook.id, seq);
    if (delivery?.due_at == null || webhooks.byId(webhook.id) === null) return;
    const attempt = await this.#send(webhook, delivery);
    const attempts = delivery.attempts + 1;
    const after = afterAttempt(attempt, attempts, now(), random());
    const { reason } = after;
    const about = { tenant: webhook.tenant, webhook: webhook.id };
    const due_at = after.outcome === "retry" ? after.due_at : null;
    const ended = after.outcome === "delivered" ? "delivered" : "failed";
    const state = after.outcome === "retry" ? "pending" : ended;
    const isWritten = deliveries.update(delivery, { state, attempts, reason, due_at });
    if (after.outcome === "delivered") {
      if (lane.failures >= FAILURES) log("info", "outgoing.recovered", about);
      lane.failures = 0;
      lane.successes += 1;
      lane.not_before = 0;
    } else this.#failed(lane, attempt);
    if (!isWritten) lane.not_before = Math.max(lane.not_before, now() + BROKE_MS);
    if (after.outcome === "disable") {
      webhooks.update(webhook, { state: "disabled" });
      log("warn", "outgoing.disabled", { ...about, reason });
    } else if (after.outcome === "failed") log("warn", "outgoing.given_up", { ...about, seq, reason });
    else if (lane.failures === FAILURES) log("warn", "outgoing.failing", { ...about, reason });
  }

  #failed(lane: Lane, { retry_after_ms }: Attempt): void {
    const now = this.#around.now();
    lane.failures += 1;
    lane.successes = 0;
    const doublings = Math.min(lane.failures - FAILURES, 10);
    const wait_ms = doublings < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doublings, LONGEST_WAIT_MS);
    lane.not_before = now + Math.max(wait_ms, Math.min(retry_after_ms ?? 0, LONGEST_RETRY_AFTER_MS));
  }

  async #send(webhook: Webhook, { seq, body }: Delivery): Promise<Attempt> {
    const { now, fetch } = this.#around;
    try {
      const secrets = await this.#secretsOf(webhook);
      const signed = await signedHeaders(deliveryId(webhook.id, seq), now(), body, secrets);
      const response = await fetch(webhook.url, {
        method: "POST",
        headers: { "content-type": "application/json", "user-agent": "partyline/0.1.0", ...signed },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      const retry_after_ms = retryAfterOf(response.headers.get("retry-after"), now());
      return { status: response.status, retry_after_ms, why: "" };
    } catch (error) {
      return { status: null, retry_after_ms: null, why: describeError(error) };
    }
  }

  /** Those that sign now. */
  async #secretsOf({ project_id, secrets }: Webhook): Promise<string[]> {
    const { now, credentials_key = "" } = this.#around;
    const signing = secrets.filter(({ until }) => until === null || until > now());
    return await Promise.all(
      signing.map(async ({ sealed }) => {
        const known = this.#secrets.get(sealed);
        if (known !== undefined) return known;
        const secret = await openSecret(credentials_key, project_id, sealed);
        this.#secrets.set(sealed, secret);
        return secret;
      }),
    );
  }

  /** Drops the oldest deliveries of an endpoint that takes nothing for long. */
  #count(lane: Lane, webhook: Webhook): void {
    if (lane.added < COUNTED_AFTER) return;
    const { waiting, isDone } = this.#host.deliveries.trim(webhook.id, FORGOTTEN_AT_ONCE);
    if (isDone) lane.added = 0;
    if (waiting === 0) return;
    this.#host.webhooks.update(webhook, { dropped: webhook.dropped + waiting });
    log("warn", "outgoing.dropped", { tenant: webhook.tenant, webhook: webhook.id, dropped: waiting });
  }

  #wake(at: number): void {
    const now = this.#around.now();
    if (at - now <= TIMER_MS && (this.#wakes_at === null || at < this.#wakes_at)) this.#wakes_at = at;
    this.#wantAlarm(Math.max(now + BACKSTOP_MS, at));
  }

  #wantAlarm(at: number): void {
    if (this.#alarm_at === null || at < this.#alarm_at) this.#alarm_at = at;
    this.#rescheduled();
  }
}

/** The same for each attempt, and no other delivery's. */
export function deliveryId(webhook: string, seq: number): string {
  return `msg_${webhook}_${seq}`;
}

/** The event's `seq`; null if it is no delivery of this endpoint's. */
export function seqOfDelivery(webhook: string, id: string): number | null {
  const prefix = `msg_${webhook}_`;
  const digits = id.startsWith(prefix) ? id.slice(prefix.length) : "";
  return /^\d{1,16}$/.test(digits) ? Number(digits) : null;
}
