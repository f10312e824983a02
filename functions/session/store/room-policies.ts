import type { Policies as PoliciesOfRule } from "../../../shared/rules/decision.ts";
import type { Disk } from "./disk.ts";
import type { Following } from "./news.ts";

/** Rooms that are locked or muted at once, and numbers that are barred, by one project and by one tenant: more than there ever are. */
const MOST = 10_000;
const OF_TENANT = 2_000;

/** No more callers come in. */
export interface Lock {
  mode: "refuse" | "lobby";
  /** What those hear who are not let in. */
  say?: string;
}

/** Each who comes in is muted, but for these roles. */
export interface MuteAll {
  except: string[];
}

/** What happens when the last moderator has left; `left_at`: since when none is there, ms; `acted`: it has happened. */
export interface Moderation extends NonNullable<PoliciesOfRule["when_moderator_leaves"]> {
  left_at: number | null;
  acted: boolean;
}

interface Policies {
  lock: Lock;
  mute_all: MuteAll;
  moderation: Moderation;
  /** `about` is the caller's key. */
  barred: Record<string, never>;
}

export interface Policy<Kind extends keyof Policies = keyof Policies> {
  room: string;
  kind: Kind;
  about: string;
  tenant: string;
  at: number;
  /** null: it ends with the conference. */
  until: number | null;
  data: Policies[Kind];
}

type Row = Omit<Policy, "data"> & { data: string } & Record<string, SqlStorageValue>;

export interface LockNews extends Following {
  locked(tenant: string, room: string, mode: Lock["mode"], until: number | null): void;
  unlocked(tenant: string, room: string): void;
}

/** RoomPolicies — what operators and rules have decided for a room until it is over: the only place that reads and writes its table. */
export class RoomPolicies {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #isOccupied: (room: string) => boolean;
  readonly #news: LockNews;
  readonly #policies: Map<string, Policy>;

  /** @param isOccupied Whether anybody is in the room: what has no end of its own ends with it. */
  constructor(disk: Disk, isOccupied: (room: string) => boolean, now: () => number, news: LockNews) {
    this.#disk = disk;
    this.#now = now;
    this.#isOccupied = isOccupied;
    this.#news = news;
    const rows = disk.exec<Row>(
      "SELECT room, kind, about, tenant, at, until, data FROM room_policies LIMIT ?",
      MOST,
    );
    this.#policies = new Map(
      // Written by `set`.
      [...rows].map((row) => [keyOf(row), { ...row, data: JSON.parse(row.data) as Policy["data"] }]),
    );
  }

  /** Nothing was decided for any room, as in most projects. */
  get isEmpty(): boolean {
    return this.#policies.size === 0;
  }

  /** False where the project or the tenant has too many: it is not decided then. Those that are over go first. */
  mayAdd(policy: Pick<Policy, "room" | "kind" | "tenant"> & { about?: string }): boolean {
    const isFull = (): boolean => {
      if (this.#policies.has(keyOf({ about: "", ...policy }))) return false;
      if (this.#policies.size >= MOST) return true;
      if (this.#policies.size < OF_TENANT) return false;
      let theirs = 0;
      for (const { tenant } of this.#policies.values()) if (tenant === policy.tenant) theirs += 1;
      return theirs >= OF_TENANT;
    };
    return !isFull() || (this.forget().length > 0 && !isFull());
  }

  /** In place of the one before. Throws where there is no room for it, or where there are too many. */
  set<Kind extends keyof Policies>(policy: Omit<Policy<Kind>, "at">): void {
    if (!this.mayAdd(policy))
      throw new Error("too many rooms are locked or muted, and too many numbers barred");
    const { room, kind, about, tenant, until, data } = policy;
    const at = this.#now();
    this.#disk.exec(
      "INSERT OR REPLACE INTO room_policies (room, kind, about, tenant, at, until, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
      room,
      kind,
      about,
      tenant,
      at,
      until,
      JSON.stringify(data),
    );
    this.#policies.set(keyOf(policy), { ...policy, at });
    // By its kind.
    if (kind === "lock" && this.#news.isFollowed(tenant))
      this.#news.locked(tenant, room, (data as Lock).mode, until);
  }

  drop(room: string, kind: keyof Policies, about = ""): boolean {
    const key = keyOf({ room, kind, about });
    const policy = this.#policies.get(key);
    if (!policy) return false;
    this.#policies.delete(key);
    this.#disk.exec("DELETE FROM room_policies WHERE room = ? AND kind = ? AND about = ?", room, kind, about);
    if (kind === "lock" && this.#news.isFollowed(policy.tenant)) this.#news.unlocked(policy.tenant, room);
    return true;
  }

  lockOf(room: string): Policy<"lock"> | null {
    return this.#of(room, "lock");
  }

  /** The lock whose end was not told yet, though it may be over: to read it changes nothing. */
  standingLock(room: string): Policy<"lock"> | null {
    const policy = this.#policies.get(keyOf({ room, kind: "lock", about: "" }));
    return policy ? (policy as Policy<"lock">) : null; // By its key.
  }

  muteAllOf(room: string): Policy<"mute_all"> | null {
    return this.#of(room, "mute_all");
  }

  moderationOf(room: string): Policy<"moderation"> | null {
    return this.#of(room, "moderation");
  }

  isBarred(room: string, caller: string | null): boolean {
    return caller !== null && this.#of(room, "barred", caller) !== null;
  }

  /** Rooms for which it is said what happens when their moderators have left. */
  moderated(): string[] {
    return [...this.#policies.values()].flatMap(({ kind, room }) => (kind === "moderation" ? [room] : []));
  }

  #of<Kind extends keyof Policies>(room: string, kind: Kind, about = ""): Policy<Kind> | null {
    if (this.isEmpty) return null;
    const policy = this.#policies.get(keyOf({ room, kind, about }));
    if (!policy) return null;
    if (this.#isOver(policy)) {
      this.drop(room, kind, about);
      return null;
    }
    return policy as Policy<Kind>; // By its key.
  }

  #isOver({ room, until }: Policy): boolean {
    return until === null ? !this.#isOccupied(room) : until <= this.#now();
  }

  /** What is over goes. The rooms that it was about: their doors may be open again. */
  forget(): string[] {
    const over = [...this.#policies.values()].filter((policy) => this.#isOver(policy));
    for (const { room, kind, about } of over) this.drop(room, kind, about);
    return over.map(({ room }) => room);
  }
}

function keyOf({ room, kind, about }: Pick<Policy, "room" | "kind" | "about">): string {
  return JSON.stringify([room, kind, about]);
}
