import type { FeedData, FeedType } from "../../../shared/api/feed.ts";
import { describeError, log } from "../../log.ts";
import type { FeedGrant } from "../contract/feed.ts";
import type { SpeechNews } from "../seats/speech.ts";
import type { Dial, DialNews } from "../store/dials.ts";
import { isFull } from "../store/disk.ts";
import type { FeedLog } from "../store/feed-log.ts";
import type { About, HistoryNews, WebhookRow } from "../store/history.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { PlacementNews } from "../store/news.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import type { Recording, RecordingNews } from "../store/recordings.ts";
import type { LockNews } from "../store/room-policies.ts";
import type { RulesNews } from "../store/rulesets.ts";
import { type Around, droppedNews, placementNews, recordingNews } from "./derive.ts";
import type { OutgoingWebhooks } from "./outgoing-webhooks.ts";
import type { FeedReaders } from "./readers.ts";
import type { Happened } from "./views.ts";

/** How long events are kept after the last client has gone, so that it misses none when it comes back. */
const LINGER_MS = 600_000;

interface FeedHost extends Around {
  feedLog: FeedLog;
  readers: FeedReaders;
  outgoing: OutgoingWebhooks;
  now(): number;
}

/**
 * Feed — tells those who follow a tenant what happens to its calls: clients that listen, and the tenant's own servers. Derives that
 * from what the tables tell of their changes, and costs nothing while nobody follows. A failure here affects no call.
 */
export class Feed
  implements PlacementNews, RecordingNews, DialNews, RulesNews, HistoryNews, LockNews, SpeechNews
{
  readonly #host: FeedHost;

  constructor(host: FeedHost) {
    this.#host = host;
  }

  isFollowed(tenant: string): boolean {
    return this.#safely(false, () => {
      const { feedLog, readers, outgoing } = this.#host;
      return readers.has(tenant) || feedLog.isKept(tenant) || outgoing.areWanted(tenant);
    });
  }

  /** Tells of something that no table tells. Never throws. */
  tell<Type extends FeedType>(tenant: string, type: Type, data: FeedData<Type>): void {
    // Type and data match, which TypeScript cannot tell of two parameters.
    if (this.isFollowed(tenant)) this.#tellAll(tenant, () => [{ type, data } as Happened]);
  }

  /** Somebody is about to follow the tenant: from now on all that happens is kept. Throws if there is no room for that. */
  follow(tenant: string): void {
    const { feedLog, now } = this.#host;
    const until = now() + LINGER_MS;
    if (this.isFollowed(tenant)) feedLog.keep(tenant, until);
    else feedLog.begin(tenant, until);
  }

  /** Takes a client in; null: too many listen already. @param after the last event that it has; null: it has nothing. */
  open(tenant: string, grant: FeedGrant, after: number | null): Response | null {
    const { readers } = this.#host;
    if (!readers.mayOpen(tenant)) return null;
    this.follow(tenant);
    return readers.open(tenant, grant, after);
  }

  /** The token was revoked: what it opened is closed. */
  revoke(tenant: string, token: string): void {
    this.#host.readers.revoke(tenant, token);
  }

  placed(row: Placement, before: Changes | null): void {
    this.#tellAll(row.tenant, () => placementNews(row, before, this.#host));
  }

  dropped(row: LivePlacement): void {
    this.#tellAll(row.tenant, () => droppedNews(row, this.#host));
  }

  recorded(row: Recording, before: Pick<Recording, "state" | "url"> | null): void {
    this.#tellAll(row.tenant, () => recordingNews(row, before));
  }

  dialled({ tenant, request, id, state, reason, call_id }: Dial): void {
    const { room, to, from } = request;
    // As the API has it: its participant tells how it goes on.
    const shown = state === "answered" ? "joining" : state;
    this.tell(tenant, "dial.updated", { room, id, to, from, state: shown, reason, call_id });
  }

  refused({ tenant, call_id }: About, { from, rule, room, outcome, reason = "" }: WebhookRow): void {
    const refusal = { room: room ?? null, call_id, from, rule: rule ?? null, why: outcome ?? "", reason };
    this.tell(tenant, "call.refused", refusal);
  }

  rulesServed(tenant: string, hash: string): void {
    this.tell(tenant, "rules.changed", { hash });
  }

  locked(tenant: string, room: string, mode: "refuse" | "lobby", until: number | null): void {
    this.tell(tenant, "room.locked", { room, mode, until });
  }

  unlocked(tenant: string, room: string): void {
    this.tell(tenant, "room.unlocked", { room });
  }

  /** Not for servers, which are sent no speech: it would be numbered and kept for nobody. */
  spoke(tenant: string, room: string, call_id: string, speaking: boolean): void {
    const { readers, feedLog } = this.#host;
    const isListened = this.#safely(false, () => readers.has(tenant) || feedLog.isKept(tenant));
    if (isListened) this.tell(tenant, "participant.speaking", { room, call_id, speaking });
  }

  split(tenant: string, room: string, conference_ids: readonly string[]): void {
    this.tell(tenant, "room.split", { room, conference_ids: [...conference_ids] });
  }

  #tellAll(tenant: string, derive: () => Happened[]): void {
    this.#safely(undefined, () => {
      for (const happened of derive()) this.#add(tenant, happened);
    });
  }

  #add(tenant: string, happened: Happened): void {
    const { feedLog, readers, outgoing, now } = this.#host;
    const event = feedLog.add(tenant, happened);
    if (!event) {
      // A client must not think that nothing happened.
      readers.closeAll(tenant);
      feedLog.lose(tenant);
      return;
    }
    readers.push(tenant, event);
    outgoing.push(tenant, happened.type, event);
    if (readers.has(tenant) && feedLog.keptFor(tenant) < LINGER_MS / 2)
      feedLog.keep(tenant, now() + LINGER_MS);
  }

  #safely<T>(otherwise: T, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!isFull(error)) log("error", "feed.broke", { error: describeError(error) });
      return otherwise;
    }
  }
}
