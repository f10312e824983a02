import { createHmac } from "node:crypto";
import { proofText, tokenText, writtenMac } from "../../../shared/callback-token.ts";
import { callbackUrlsAt, withCallbacks, withRoom } from "../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../shared/conference.ts";
import { decodeCredentialsKey } from "../../../shared/credentials.ts";
import type { LookReply } from "../contract/placement.ts";
import type { Placement } from "./placement-row.ts";
import { hooksOf } from "./resume-url-of.ts";

/** What of a row holds joins. */
export type HoldsJoins = Pick<Placement, "join" | "placing" | "wait" | "answer">;

/** A call in a line, and the join that was decided for it. */
type Line = Pick<Placement, "placing" | "wait">;

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
    const { join, placing, wait, answer, tenant, room } = row;
    const hooks = hooksOf(join);
    if (hooks === null || this.#key === null) return { join, placing, wait, answer, hooks: null };
    return {
      join: this.#short(join, hooks, tenant, room),
      ...this.#shortLine({ placing, wait }, hooks, tenant),
      answer: answer && withJoin(answer, (its, its_room) => this.#short(its, hooks, tenant, its_room)),
      hooks,
    };
  }

  /** As it was before {@link shorten}. */
  restore({
    join,
    placing,
    wait,
    answer,
    tenant,
    room,
    hooks,
  }: HoldsJoins & Whose & { hooks: string | null }): HoldsJoins {
    if (hooks === null || this.#key === null) return { join, placing, wait, answer };
    const whole = this.#whole(join, hooks, tenant, room);
    const decided = placing.join === join ? whole : this.#whole(placing.join, hooks, tenant, null);
    return {
      join: whole,
      ...this.#wholeLine({ placing, wait }, decided, tenant),
      answer: answer && withJoin(answer, (its, its_room) => this.#whole(its, hooks, tenant, its_room)),
    };
  }

  /** A call in no line needs the join that was decided for it no more. */
  #shortLine({ placing, wait }: Line, hooks: string, tenant: string): Line {
    if (wait === null) return { placing, wait };
    const join = this.#short(placing.join, hooks, tenant, null);
    const { room_proofs: proofs, ...others } = wait;
    if (join === placing.join || proofs === undefined) return { placing: { ...placing, join }, wait };
    const derived = this.#proofsOf(placing.rooms, tenant);
    const isSame =
      Object.keys(proofs).length === placing.rooms.length &&
      placing.rooms.every((room) => proofs[room] === derived[room]);
    return { placing: { ...placing, join }, wait: isSame ? others : wait };
  }

  #wholeLine({ placing, wait }: Line, join: JoinParameters, tenant: string): Line {
    if (join === placing.join) return { placing, wait };
    const room_proofs = wait && (wait.room_proofs ?? this.#proofsOf(placing.rooms, tenant));
    return { placing: { ...placing, join }, wait: room_proofs && { ...wait, room_proofs } };
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
