import { createHmac } from "node:crypto";
import { proofText, tokenText, writtenMac } from "../../../shared/callback-token.ts";
import { callbackUrlsAt, withCallbacks, withRoom } from "../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../shared/conference.ts";
import { decodeCredentialsKey } from "../../../shared/credentials.ts";
import type { LookReply } from "../contract/placement.ts";
import type { Placement, Terms } from "./placement-row.ts";
import { hooksOf } from "./resume-url-of.ts";

/** What of a row holds joins. */
export type HoldsJoins = Pick<Placement, "join" | "wait" | "answer">;

type Whose = Pick<Placement, "tenant" | "room">;

/** In a join that goes on the wire these are ours. */
const OURS = [
  "status_callback",
  "status_callback_event",
  "status_callback_event_type",
  "status_callback_method",
  "recording_status_callback",
  "recording_status_callback_event",
  "recording_status_callback_event_type",
  "recording_status_callback_method",
] as const satisfies readonly (keyof JoinParameters)[];

/** Tenants whose token is at hand. */
const TENANTS = 1_000;

/**
 * ShortJoins — a row's joins without our own callbacks, which take 600 bytes and hold the tenant's token: they are derived again when the
 * row is read. A join whose callbacks would not come out the same is kept whole, as all are without a key to derive tokens from. Used
 * by Placements.
 */
export class ShortJoins {
  readonly #key: Uint8Array | null;
  readonly #tokens = new Map<string, string>();

  constructor(credentials_key: string | undefined) {
    this.#key = keyIn(credentials_key);
  }

  /** @returns with what they are read again: null where nothing was left out. */
  shorten(row: HoldsJoins & Whose): HoldsJoins & { hooks: string | null } {
    const { join, wait, answer, tenant, room } = row;
    const hooks = hooksOf(join);
    if (hooks === null || this.#key === null) return { join, wait, answer, hooks: null };
    return {
      join: this.#short(join, hooks, tenant, room),
      wait: wait && this.#shortTerms(wait, hooks, tenant),
      answer: answer && withJoin(answer, (its, its_room) => this.#short(its, hooks, tenant, its_room)),
      hooks,
    };
  }

  /** As it was before {@link shorten}. */
  restore({
    join,
    wait,
    answer,
    tenant,
    room,
    hooks,
  }: HoldsJoins & Whose & { hooks: string | null }): HoldsJoins {
    if (hooks === null || this.#key === null) return { join, wait, answer };
    return {
      join: this.#whole(join, hooks, tenant, room),
      wait: wait && this.#wholeTerms(wait, hooks, tenant),
      answer: answer && withJoin(answer, (its, its_room) => this.#whole(its, hooks, tenant, its_room)),
    };
  }

  #shortTerms(terms: Terms, hooks: string, tenant: string): Terms {
    const join = this.#short(terms.join, hooks, tenant, null);
    const { room_proofs: proofs, ...others } = terms;
    if (join === terms.join || proofs === undefined) return { ...terms, join };
    const derived = this.#proofsOf(terms.rooms, tenant);
    const isSame =
      Object.keys(proofs).length === terms.rooms.length &&
      terms.rooms.every((room) => proofs[room] === derived[room]);
    return isSame ? { ...others, join } : { ...terms, join };
  }

  #wholeTerms(terms: Terms, hooks: string, tenant: string): Terms {
    const join = this.#whole(terms.join, hooks, tenant, null);
    if (join === terms.join) return terms;
    return { ...terms, join, room_proofs: terms.room_proofs ?? this.#proofsOf(terms.rooms, tenant) };
  }

  /** @param room null: the recording's callback is of whatever room. */
  #short(join: JoinParameters, hooks: string, tenant: string, room: string | null): JoinParameters {
    const { status_callback_event: events = "" } = join;
    const short = { ...join };
    // The events say whether the rule wants to hear who speaks.
    for (const name of OURS)
      if (name !== "status_callback_event" || !events.split(" ").includes("speaker")) delete short[name];
    // One that waits for a room names none yet; read again it does, which is put right with the room that it gets.
    const isWhole = [room, null].some((named) => {
      const whole = this.#whole(short, hooks, tenant, named);
      return OURS.every((name) => whole[name] === join[name]);
    });
    return isWhole ? short : join;
  }

  #whole(join: JoinParameters, hooks: string, tenant: string, room: string | null): JoinParameters {
    if (join.status_callback !== undefined) return join;
    const whole = withCallbacks(join, callbackUrlsAt(hooks, this.#tokenOf(tenant)));
    return room === null ? whole : withRoom(whole, room, this.#mac(proofText(tenant, room)));
  }

  #proofsOf(rooms: readonly string[], tenant: string): Record<string, string> {
    return Object.fromEntries(rooms.map((room) => [room, this.#mac(proofText(tenant, room))]));
  }

  #tokenOf(tenant: string): string {
    let token = this.#tokens.get(tenant);
    if (token === undefined) {
      if (this.#tokens.size >= TENANTS) this.#tokens.clear();
      token = this.#mac(tokenText(tenant));
      this.#tokens.set(tenant, token);
    }
    return token;
  }

  #mac(text: string): string {
    return this.#key === null ? "" : writtenMac(createHmac("sha256", this.#key).update(text).digest());
  }
}

/** Null where there is none, or it is none: then tokens are derived from something else, which is not at hand when a row is read. */
function keyIn(credentials_key: string | undefined): Uint8Array | null {
  try {
    return credentials_key === undefined ? null : decodeCredentialsKey(credentials_key);
  } catch {
    return null;
  }
}

function withJoin(
  answer: LookReply,
  change: (join: JoinParameters, room: string) => JoinParameters,
): LookReply {
  return "join" in answer ? { ...answer, join: change(answer.join, answer.room) } : answer;
}
